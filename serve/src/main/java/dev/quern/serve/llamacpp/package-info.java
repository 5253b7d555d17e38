/// Endpoints that llama.cpp's server has and OpenAI's protocol has not.
package dev.quern.serve.llamacpp;
