/// Linears in int8: rows of x are rounded, products are integer sums that are scaled.
package dev.quern.provider.x86.linear.int8;
