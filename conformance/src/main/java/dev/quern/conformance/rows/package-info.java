/// The operators on rows of F32 numbers, RMSNorm, RoPE and SwiGLU: sections N, R and S of SPEC.md.
/// [RowRules] says what differs between them; [RowRun] calls a kernel of each.
package dev.quern.conformance.rows;
