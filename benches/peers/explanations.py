"""Explanations of k-means by NEON (Kauffmann et al. 2024), written three ways.

For a point x of cluster c and its competitors k, with w_k = 2 (mu_c - mu_k) and
m_k = (mu_c + mu_k) / 2:

    h_k = w_k . (x - m_k)
    R_k = softmin(beta h)_k min h
    R   = sum_k (x - m_k) * w_k / h_k R_k

All return the relevance of every feature, [N, D].
"""

import numpy as np

# Numbers of an intermediate: the fastest that was found for either form.
LITERAL_BLOCK = 2**18
PRODUCTS_BLOCK = 2**22


def loop_numpy(x, centroids, beta):
    """One sample after the other, as the definition reads."""
    relevance = np.empty_like(x)
    for i, sample in enumerate(x):
        c = np.square(sample - centroids).sum(1).argmin()
        others = np.delete(centroids, c, axis=0)
        weights = 2 * (centroids[c] - others)
        from_midpoints = sample - (centroids[c] + others) / 2
        h = (from_midpoints * weights).sum(1)
        shares = np.exp(beta * (h.min() - h))
        r = shares / shares.sum() * h.min()
        relevance[i] = (from_midpoints * weights * (r / h)[:, None]).sum(0)
    return relevance


def literal_numpy(x, centroids, beta):
    """All samples of a block at once: numbers of size [block, K, D]."""
    relevance = np.empty_like(x)
    for rows in _blocks(len(x), LITERAL_BLOCK // centroids.size):
        block = x[rows]
        n = np.arange(len(block))
        differences = block[:, None] - centroids
        c = np.square(differences).sum(2).argmin(1)
        own = centroids[c][:, None]
        weights = 2 * (own - centroids)
        terms = (block[:, None] - (own + centroids) / 2) * weights
        h = terms.sum(2)
        h[n, c] = np.inf
        ratios = _ratios_numpy(h, beta)
        relevance[rows] = (terms * ratios[:, :, None]).sum(1)
    return relevance


def literal_torch(torch, x, centroids, beta):
    """All samples of a block at once: numbers of size [block, K, D]."""
    relevance = torch.empty_like(x)
    for rows in _blocks(len(x), LITERAL_BLOCK // centroids.numel()):
        block = x[rows]
        differences = block[:, None] - centroids
        c = differences.square().sum(2).argmin(1)
        own = centroids[c][:, None]
        weights = 2 * (own - centroids)
        terms = (block[:, None] - (own + centroids) / 2) * weights
        h = terms.sum(2).scatter_(1, c[:, None], torch.inf)
        ratios = _ratios_torch(h, beta)
        relevance[rows] = (terms * ratios[:, :, None]).sum(1)
    return relevance


def products_numpy(x, centroids, beta):
    """(x - m_k) * w_k = (x - mu_k)^2 - (x - mu_c)^2: two products suffice."""
    centre = centroids.mean(0)
    m = centroids - centre
    squares = m * m
    norms = squares.sum(1)
    relevance = np.empty_like(x)
    for rows in _blocks(len(x), PRODUCTS_BLOCK // sum(centroids.shape)):
        block = x[rows] - centre
        n = np.arange(len(block))
        scores = 2 * (block @ m.T) - norms
        c = scores.argmax(1)
        h = scores[n, c][:, None] - scores
        h[n, c] = np.inf
        a = _ratios_numpy(h, beta)
        a[n, c] = -a.sum(1)
        relevance[rows] = a @ squares - 2 * block * (a @ m)
    return relevance


def products_torch(torch, x, centroids, beta):
    """(x - m_k) * w_k = (x - mu_k)^2 - (x - mu_c)^2: two products suffice."""
    centre = centroids.mean(0)
    m = centroids - centre
    squares = m * m
    norms = squares.sum(1)
    relevance = torch.empty_like(x)
    for rows in _blocks(len(x), PRODUCTS_BLOCK // sum(centroids.shape)):
        block = x[rows] - centre
        scores = torch.addmm(-norms, block, m.T, alpha=2)
        best, c = scores.max(1, keepdim=True)
        h = (best - scores).scatter_(1, c, torch.inf)
        a = _ratios_torch(h, beta)
        a.scatter_(1, c, -a.sum(1, keepdim=True))
        relevance[rows] = torch.addcmul(a @ squares, block, a @ m, value=-2)
    return relevance


def _ratios_numpy(h, beta):
    """R_k / h_k; 0 where h is infinite, which marks the cluster itself."""
    least = h.min(1, keepdims=True)
    shares = np.exp(beta * (least - h))
    return shares / shares.sum(1, keepdims=True) * least / h


def _ratios_torch(h, beta):
    """R_k / h_k; 0 where h is infinite, which marks the cluster itself."""
    least = h.amin(1, keepdim=True)
    return (beta * (least - h)).softmax(1) * least / h


def _blocks(rows, step):
    step = max(1, step)
    return [slice(start, start + step) for start in range(0, rows, step)]
