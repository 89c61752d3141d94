from sternpost.backends.journal.frames import MAGIC, header_of, scan

RECORDS = [b"first", b"", b"third record", b"x" * 300]
SEGMENT = b"".join(header_of(r) + r for r in RECORDS)


def payloads(buffer: bytes) -> list[bytes]:
    return [frame.payload for frame in scan(buffer, len(MAGIC), 100).frames]


def test_a_segment_cut_at_any_byte_yields_exactly_the_whole_records():
    ends = [0]
    for record in RECORDS:
        ends.append(ends[-1] + 12 + len(record))
    for cut in range(len(SEGMENT) + 1):
        whole = sum(end <= cut for end in ends) - 1
        assert payloads(SEGMENT[:cut]) == RECORDS[:whole], cut


def test_a_flipped_bit_anywhere_never_yields_a_wrong_payload():
    for at in range(len(SEGMENT)):
        for bit in range(8):
            damaged = bytearray(SEGMENT)
            damaged[at] ^= 1 << bit
            found = scan(bytes(damaged), 0, 100)
            assert [f.payload for f in found.frames] == RECORDS[: len(found.frames)], (at, bit)
            assert found.stop in ("payload", "header"), (at, bit)


def test_a_scan_stops_at_the_wanted_count_and_says_where():
    found = scan(SEGMENT, 1000, 2)
    assert (len(found.frames), found.stop) == (2, "end")
    assert found.at == 1000 + 12 + 5 + 12  # two headers, five bytes of payload
