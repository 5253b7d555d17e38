package dev.quern.benchmarks;

import java.time.Instant;

/// A comparison as a file keeps it.
///
/// @param date when it ended
/// @param cpu the processor's name
/// @param cpuClass what the user calls the processor's kind, such as `avx2`; may be empty
/// @param provider of Quern's linear operators, see [QuernEngine#provider]
/// @param workload what ran
/// @param model the file's name
/// @param ours Quern's figures, in the workload's unit
/// @param theirs llama.cpp's, in the same
/// @param ratio Quern's by llama.cpp's, of each pair
/// @param pairs how many
/// @param llamaCpp which llama.cpp
record Result(
    Instant date,
    String cpu,
    String cpuClass,
    String provider,
    Workload workload,
    String model,
    Summary ours,
    Summary theirs,
    Summary ratio,
    int pairs,
    LlamaCppEngine.Build llamaCpp) {}
