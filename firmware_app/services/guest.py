"""Who rides next: the rider who claimed the bike, for one ride, or nobody in particular.

Pure. A claim that nobody pedals after is forgotten; so is every claim when its ride is over, for
the next one on the saddle is somebody else.
"""

from firmware_app.wire import Claim, Offer

CLAIMED_S = 180.0
"""A rider who has said who they are and does not pedal within three minutes has walked on."""


class Guest:
    """What is known of the next rider."""

    def __init__(self, usual: str) -> None:
        """Begin with nobody; usual: the name used for a ride that nobody has claimed."""
        self._usual = usual
        self._claim: Claim | None = None
        self._until_s = 0.0
        self._offer: Offer | None = None

    def offer(self, offer: Offer) -> None:
        """Take in where the next rider may say who they are."""
        self._offer = offer

    def claim(self, claim: Claim, now_s: float) -> None:
        """Take in who they are; the address has done its work."""
        self._claim, self._until_s = claim, now_s + CLAIMED_S
        self._offer = None

    def leave(self) -> None:
        """Forget the rider: the ride is over."""
        self._claim = None

    def claimed(self, now_s: float) -> Claim | None:
        """Return what the next rider has said; None when nobody has claimed the bike."""
        return self._claim if now_s < self._until_s else None

    def rider(self, now_s: float) -> str:
        """Return the name to ride under; empty: none."""
        claim = self.claimed(now_s)
        return self._usual if claim is None else claim.rider

    def name_on_board(self, now_s: float) -> bool:
        """Tell whether the rider agreed that the board shows the name."""
        claim = self.claimed(now_s)
        return claim is not None and claim.name_on_board

    def claim_url(self, now_s: float) -> str:
        """Return what the waiting screen shows as a QR code; empty: nothing."""
        offer = self._offer
        return offer.url if offer is not None and now_s < offer.until_s else ""
