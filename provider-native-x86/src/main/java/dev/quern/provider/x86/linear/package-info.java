/// Linears of two arithmetics at once, by the number of rows. What each does by itself lies in the
/// packages below: `int8`, `exact` and `bf16`, on `panel` and `floats`.
package dev.quern.provider.x86.linear;
