from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Params(_message.Message):
    __slots__ = ("uflt_per_million_gas_min", "tx_gas_max", "tx_size_bytes_max", "tx_messages_max", "tx_signers_max", "memo_length_max", "gas_per_byte", "gas_per_signature", "gas_per_row", "gas_per_row_byte")
    UFLT_PER_MILLION_GAS_MIN_FIELD_NUMBER: _ClassVar[int]
    TX_GAS_MAX_FIELD_NUMBER: _ClassVar[int]
    TX_SIZE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    TX_MESSAGES_MAX_FIELD_NUMBER: _ClassVar[int]
    TX_SIGNERS_MAX_FIELD_NUMBER: _ClassVar[int]
    MEMO_LENGTH_MAX_FIELD_NUMBER: _ClassVar[int]
    GAS_PER_BYTE_FIELD_NUMBER: _ClassVar[int]
    GAS_PER_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    GAS_PER_ROW_FIELD_NUMBER: _ClassVar[int]
    GAS_PER_ROW_BYTE_FIELD_NUMBER: _ClassVar[int]
    uflt_per_million_gas_min: int
    tx_gas_max: int
    tx_size_bytes_max: int
    tx_messages_max: int
    tx_signers_max: int
    memo_length_max: int
    gas_per_byte: int
    gas_per_signature: int
    gas_per_row: int
    gas_per_row_byte: int
    def __init__(self, uflt_per_million_gas_min: _Optional[int] = ..., tx_gas_max: _Optional[int] = ..., tx_size_bytes_max: _Optional[int] = ..., tx_messages_max: _Optional[int] = ..., tx_signers_max: _Optional[int] = ..., memo_length_max: _Optional[int] = ..., gas_per_byte: _Optional[int] = ..., gas_per_signature: _Optional[int] = ..., gas_per_row: _Optional[int] = ..., gas_per_row_byte: _Optional[int] = ...) -> None: ...
