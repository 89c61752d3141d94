"""What access does once a day: forget ended links and sessions; when it runs is the worker's business."""

from sternpost.capabilities.access.service import AccessService

_KEPT_NS = 7 * 86_400_000_000_000  # long enough to explain a refusal to a person who asks


def prune_sign_ins(service: AccessService) -> int:
    """Delete links and sessions that ended a week ago; return how many."""
    return service.store.drop_expired(service.clock.now_ns() - _KEPT_NS)
