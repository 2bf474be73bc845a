"""Who a box is: its key, its certificate, and how it came by them."""
