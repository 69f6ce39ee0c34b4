"""The server: uvicorn main:app --host 0.0.0.0 --port 80"""

import os
import time
from pathlib import Path

from fastapi import FastAPI

from api import (
    DecodeRequest,
    DecodeResponse,
    ProcessRequest,
    ProcessResponse,
    TokenizeRequest,
    TokenizeResponse,
)
from generation import Generator

generator = Generator(os.environ.get("MODEL_DIR") or Path(__file__).parent / "model")
app = FastAPI()


@app.post("/process")
def process(request: ProcessRequest) -> ProcessResponse:
    start = time.perf_counter()
    text, tokens = generator.complete(request)
    return ProcessResponse(
        text=text,
        tokens=tokens,
        logprob=sum(token.logprob for token in tokens),
        request_time=time.perf_counter() - start,
    )


@app.post("/tokenize")
def tokenize(request: TokenizeRequest) -> TokenizeResponse:
    start = time.perf_counter()
    tokens = generator.encode(request.text)
    if request.truncation:
        tokens = tokens[: request.max_length]
    return TokenizeResponse(tokens=tokens, request_time=time.perf_counter() - start)


@app.post("/decode")
def decode(request: DecodeRequest) -> DecodeResponse:
    start = time.perf_counter()
    text = generator.decode(request.tokens)
    return DecodeResponse(text=text, request_time=time.perf_counter() - start)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok", "device": str(generator.device)}
