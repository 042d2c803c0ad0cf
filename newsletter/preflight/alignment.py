"""When one domain vouches for another. Takes two domains, says yes or no; pure, and imports nothing."""


def is_aligned(domain: str, signing: str) -> bool:
    """
    Whether DMARC takes a signature of `signing` for mail from `domain`, both A-labels (RFC 7489 §3.1.1, relaxed).

    Two domains beneath a common one count there as well, but which ones do takes the public suffix list to tell.
    """
    return domain == signing or domain.endswith(f".{signing}") or signing.endswith(f".{domain}")
