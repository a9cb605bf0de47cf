"""The border: protobuf bytes outside, records inside."""
