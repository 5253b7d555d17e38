package dev.quern.serve.openai;

import dev.quern.llama.sampling.LogProbabilities;
import java.util.List;

/// A part of a text on its way.
record Piece(String text, List<LogProbabilities> logProbabilities) {}
