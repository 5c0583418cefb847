"""Casting data, as they are stored in FITS, to the datatype that the schema of products requires.

An exposure that was rewritten by hand may have another, such as double precision.
"""

import sys
from array import array

#: Type codes of `array` by BITPIX.
CODES = {8: "B", 16: "h", 32: "i", 64: "q", -32: "f", -64: "d"}

#: BITPIX and BZERO of data, and those of their cast.
Cast = tuple[int, int, int, int]


def cast_data(data: bytes, bits: int, zero: int, new_bits: int, new_zero: int) -> bytes:
    """Cast the numbers of an HDU, in the byte order of FITS; integers wrap around, as in numpy.

    The arguments are those of `Cast`. A number that has to become an integer and is none is a
    ValueError.
    """
    numbers = array(CODES[bits], data)
    if sys.byteorder == "little":
        numbers.byteswap()
    if new_bits < 0:
        # Adding nothing would change the sign of -0.0.
        cast = array(CODES[new_bits], [number + zero for number in numbers] if zero else numbers)
    else:
        # FITS stores bytes without a sign, and all longer integers with one.
        lowest = 0 if new_bits == 8 else -(1 << new_bits - 1)
        shift, count = zero - new_zero - lowest, 1 << new_bits
        stored = [(_integer(number) + shift) % count + lowest for number in numbers]
        cast = array(CODES[new_bits], stored)
    if sys.byteorder == "little":
        cast.byteswap()
    return cast.tobytes()


def _integer(number: float) -> int:
    # NaN and infinity are not integers either.
    if number % 1 != 0:
        raise ValueError(f"{number} is not an integer")
    return int(number)
