/// Operators that take rows one by one: RMSNorm, RoPE, SwiGLU.
package dev.quern.provider.vector.rows;
