//! Whether something holds of a tensor, on its way from a device to the host.

use burn::tensor::{Bool, Tensor, backend::Backend};

use crate::transfer;

/// Whether something holds of a tensor. Reading it makes a GPU wait, so several are joined and read
/// at once.
pub enum Flag<B: Backend> {
    /// The answer.
    Known(bool),
    /// A device computes it: true if it holds, `[1]`.
    Pending(Tensor<B, 1, Bool>),
}

impl<B: Backend> Flag<B> {
    /// Whether all elements are true.
    pub fn all<const D: usize>(elements: Tensor<B, D, Bool>) -> Self {
        Self::Pending(elements.all())
    }

    /// Whether both hold.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Known(true), flag) | (flag, Self::Known(true)) => flag,
            (Self::Known(false), _) | (_, Self::Known(false)) => Self::Known(false),
            (Self::Pending(a), Self::Pending(b)) => Self::Pending(a.bool_and(b)),
        }
    }

    /// The answer, for which the caller waits.
    pub fn read(self) -> bool {
        match self {
            Self::Known(holds) => holds,
            Self::Pending(flag) => transfer::all_true(flag),
        }
    }

    /// The answer, without blocking the thread.
    pub async fn read_async(self) -> bool {
        match self {
            Self::Known(holds) => holds,
            // Where the device fails, the values are read once more, and that error is seen.
            Self::Pending(flag) => flag
                .into_data_async()
                .await
                .is_ok_and(|data| data.iter::<bool>().all(|holds| holds)),
        }
    }
}

impl<B: Backend> FromIterator<Self> for Flag<B> {
    fn from_iter<I: IntoIterator<Item = Self>>(flags: I) -> Self {
        flags.into_iter().fold(Self::Known(true), Self::and)
    }
}
