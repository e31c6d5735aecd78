"""How the bytes behind each kind of locator are brought into canonical order; `readers.bytes` chooses between them."""
