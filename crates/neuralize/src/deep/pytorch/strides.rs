//! Strides: how the numbers of a tensor lie in its storage.

/// Whether a tensor fills its part of the storage without gaps or repeats, that is,
/// whether some order of its dimensions is contiguous.
pub(super) fn are_dense(size: &[usize], strides: &[usize]) -> bool {
    if size.len() != strides.len() {
        return false;
    }
    if size.contains(&0) {
        return true;
    }
    // The stride of a dimension of one does not matter.
    let mut steps: Vec<(usize, usize)> =
        strides.iter().copied().zip(size.iter().copied()).filter(|(_, size)| *size > 1).collect();
    steps.sort_unstable();
    let mut expected = Some(1usize);
    steps.into_iter().all(|(stride, size)| {
        let fits = expected == Some(stride);
        expected = stride.checked_mul(size);
        fits
    })
}

/// The elements of a dense tensor in row-major order; `element` is the size of one in bytes.
pub(super) fn row_major(
    bytes: &[u8],
    element: usize,
    size: &[usize],
    strides: &[usize],
) -> Vec<u8> {
    let mut ordered = Vec::with_capacity(bytes.len());
    let mut at = vec![0; size.len()];
    let mut place = 0;
    while ordered.len() < bytes.len() {
        let start = place * element;
        ordered.extend_from_slice(&bytes[start..start + element]);
        for dim in (0..size.len()).rev() {
            at[dim] += 1;
            place += strides[dim];
            if at[dim] < size[dim] {
                break;
            }
            at[dim] = 0;
            place -= strides[dim] * size[dim];
        }
    }
    ordered
}
