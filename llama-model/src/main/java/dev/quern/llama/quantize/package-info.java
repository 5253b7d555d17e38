/// Quantizing models: which tensor gets which format, the rounding, and how large its error is.
package dev.quern.llama.quantize;
