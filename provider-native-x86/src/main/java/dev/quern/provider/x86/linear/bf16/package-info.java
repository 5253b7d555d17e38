/// Linears in BF16: dot products for few rows, tiles of AMX for many.
package dev.quern.provider.x86.linear.bf16;
