"""What HELM sends and reads. Fields that a request has beyond these are ignored."""

from pydantic import BaseModel, Field


class ProcessRequest(BaseModel):
    prompt: str
    max_new_tokens: int = Field(default=50, ge=0)
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0)
    # How many candidates to report for each token; not a limit for sampling.
    top_k_per_token: int = Field(default=1, ge=0)
    stop_sequences: list[str] = []
    echo_prompt: bool = False
    seed: int | None = None


class Token(BaseModel):
    text: str
    logprob: float
    top_logprob: dict[str, float]


class ProcessResponse(BaseModel):
    text: str
    tokens: list[Token]
    logprob: float
    request_time: float


class TokenizeRequest(BaseModel):
    text: str
    truncation: bool = True
    max_length: int = Field(default=2048, ge=0)


class TokenizeResponse(BaseModel):
    tokens: list[int]
    request_time: float


class DecodeRequest(BaseModel):
    tokens: list[int]


class DecodeResponse(BaseModel):
    text: str
    request_time: float
