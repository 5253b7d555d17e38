/// What products of F32 and of BF16 have in common: panels that F32 is made of, their decoders, and
/// the kernel.
package dev.quern.provider.x86.linear.floats;
