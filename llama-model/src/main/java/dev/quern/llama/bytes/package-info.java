/// Scalars in memory.
package dev.quern.llama.bytes;
