/// The operators: for each a spec (a record that says *what* and validates itself) and a kernel
/// interface (that does it). Rules are numbered in `SPEC.md`.
package dev.quern.op;
