package dev.quern.llama;

import dev.quern.llama.sampling.LogProbabilities;
import java.util.List;
import java.util.function.Consumer;

/// A part of a generation's text as it comes, with the tokens whose text it completes. All pieces'
/// texts together are the text, and all their tokens those of [Generation#tokens()], without the
/// ones that a stop string has part in.
///
/// @param text empty where tokens have none, as control tokens
/// @param tokens those whose text is complete with this piece; none where it ends within a token
/// @param logProbabilities of each of the tokens, where [GenerationOptions#withLogProbabilities]
///   asked for them; otherwise empty
/// @since 0.1
/// @stability api
public record Piece(String text, List<Integer> tokens, List<LogProbabilities> logProbabilities) {
  public Piece {
    tokens = List.copyOf(tokens);
    logProbabilities = List.copyOf(logProbabilities);
  }

  /// For whoever wants to hear text alone, and no empty one.
  static PieceListener texts(Consumer<String> listener) {
    return piece -> {
      if (!piece.text().isEmpty()) {
        listener.accept(piece.text());
      }
    };
  }
}
