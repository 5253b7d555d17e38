package dev.quern.provider.x86.asm;

/// What an instruction works on. Each kind is a type of its own, and a form of an instruction says
/// which it takes ([Slot]).
public sealed interface Operand permits Register, Mem, Broadcast, Masked, Imm, Label {}
