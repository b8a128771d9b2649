"""The Open Inference Protocol, version 2: tensors over HTTP (JSON and binary) and gRPC."""
