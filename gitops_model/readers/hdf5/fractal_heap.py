"""Fractal heaps, as far as links and attributes lie in them: managed and tiny objects, without filters. (III.G)"""

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.hdf5.file import UNDEFINED, File, u16


class FractalHeap:
    """Finds an object by its heap id. A doubling table of direct blocks covers the heap's address space."""

    def __init__(self, file: File, address: int) -> None:
        self.file = file
        offsets, lengths = file.offset_size, file.length_size
        head = file.signed(address, 22 + 12 * lengths + 3 * offsets + 4, b"FRHP")
        if u16(head, 7):
            raise BadFile(Problem("GM009", "a filtered fractal heap of the HDF5 file is not read"))
        at = 14 + lengths + offsets + lengths + offsets + 8 * lengths
        self.width = u16(head, at)
        self.start = file.length(head, at + 2)
        self.largest = file.length(head, at + 2 + lengths)
        self.bits = u16(head, at + 2 + 2 * lengths)
        self.root = file.offset(head, at + 6 + 2 * lengths)
        self.rows = u16(head, at + 6 + 2 * lengths + offsets)
        self.flags = head[9]
        self.managed_size = int.from_bytes(head[10:14], "little")
        power_of_two = self.start > 0 and self.start & (self.start - 1) == 0
        if not power_of_two or not 0 < self.width <= 1024 or self.largest < self.start or self.bits > 64:
            raise BadFile(Problem("GM002", "a fractal heap of the HDF5 file is damaged"))

    def object(self, heap_id: bytes) -> bytes:
        """The bytes of the object with this id."""
        kind = heap_id[0] >> 4 & 3
        if kind == 2:  # tiny: the id holds the object
            return heap_id[1 : 2 + (heap_id[0] & 0x0F)]
        if kind != 0:
            raise BadFile(Problem("GM009", "a huge object in a fractal heap of the HDF5 file is not read"))
        offset_width = (self.bits + 7) // 8
        largest = min(self.largest, self.managed_size or self.largest)
        length_width = (largest.bit_length() + 7) // 8
        offset = int.from_bytes(heap_id[1 : 1 + offset_width], "little")
        length = int.from_bytes(heap_id[1 + offset_width : 1 + offset_width + length_width], "little")
        block, begin, size = self.block(offset)
        if offset - begin + length > size:
            raise BadFile(Problem("GM002", "an object of a fractal heap reaches over its block"))
        return self.file.at(block + offset - begin, length)

    def block(self, offset: int) -> tuple[int, int, int]:
        """(address, first offset, size) of the direct block that covers a heap offset."""
        if not self.rows:
            return self.root, 0, self.start
        address, begin, rows = self.root, 0, self.rows
        for _ in range(64):  # each turn descends one level of indirect blocks
            row, column, row_begin, size = self.cell(offset - begin)
            if row >= rows:
                break
            direct_rows = self.largest.bit_length() - self.start.bit_length() + 2
            head = 5 + self.file.offset_size + (self.bits + 7) // 8
            child_at = address + head + (row * self.width + column) * self.file.offset_size
            self.file.signed(address, 4, b"FHIB")
            child = self.file.offset(self.file.at(child_at, self.file.offset_size), 0)
            if child == UNDEFINED:
                break
            begin += row_begin
            if row < direct_rows:
                return child, begin, size
            address = child
            rows = (size.bit_length() - 1) - (self.start * self.width).bit_length() + 2
        raise BadFile(Problem("GM002", "an object of a fractal heap lies outside the heap"))

    def cell(self, offset: int) -> tuple[int, int, int, int]:
        """(row, column, first offset, block size) in a doubling table: rows 0 and 1 have the starting size."""
        row, size, row_begin = 0, self.start, 0
        while offset >= row_begin + size * self.width:
            row_begin += size * self.width
            row += 1
            size = self.start << max(0, row - 1)
            if row > 64:
                raise BadFile(Problem("GM002", "an object of a fractal heap lies outside the heap"))
        column = (offset - row_begin) // size
        return row, column, row_begin + column * size, size
