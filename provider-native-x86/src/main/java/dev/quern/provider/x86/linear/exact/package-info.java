/// Linears in F32, of which nothing is rounded but sums.
package dev.quern.provider.x86.linear.exact;
