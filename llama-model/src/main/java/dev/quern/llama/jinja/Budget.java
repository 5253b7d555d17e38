package dev.quern.llama.jinja;

import java.util.Locale;
import java.util.Optional;

/// What a template may use up: a stranger's loops and repetitions end here, whatever they ask for.
final class Budget {
  private static final long MAX_STEPS = 20_000_000;
  private static final long MAX_CHARACTERS = 1L << 24;
  private static final int MAX_DEPTH = 400;
  private static final int MAX_PARSER_DEPTH = 100; // a level of a parser takes a dozen calls

  private static final int CHARACTERS_OF_A_STEP = 16;
  private static final int STEPS_OF_A_PART = 16;

  /// Templates build a conversation up by concatenation, which makes many texts of one.
  private static final int TEXTS_OF_AN_INPUT = 64;

  private final long maxCharacters;
  private long steps;
  private long characters;
  private int depth;

  /// @param inputCharacters of all that is to be rendered
  Budget(long inputCharacters) {
    maxCharacters = MAX_CHARACTERS + TEXTS_OF_AN_INPUT * inputCharacters;
  }

  /// Takes steps: one for each node that is evaluated and each element that is made or looked at.
  void steps(long count) {
    steps += count;
    if (count > MAX_STEPS || steps > MAX_STEPS) {
      throw new JinjaException(
          String.format(
              Locale.ROOT, "more than %d steps, expected a template that ends", MAX_STEPS));
    }
  }

  /// Takes the steps of a look at a value: all of a text may be looked at.
  void look(Value value) {
    if (value instanceof Text text) {
      steps(text.length() / CHARACTERS_OF_A_STEP);
    }
  }

  /// Takes the steps of a search for one text in another, which compares each with each at worst.
  void search(Text in, Text part) {
    steps((long) in.length() * Math.max(1, part.length() / 16) / CHARACTERS_OF_A_STEP);
  }

  /// Takes the steps of making texts out of another's characters, each of which takes far more room
  /// than these.
  void parts(long count) {
    steps(STEPS_OF_A_PART * count);
  }

  /// Takes characters that are about to be made, in any text.
  void characters(long count) {
    characters += count;
    if (count > maxCharacters || characters > maxCharacters) {
      throw new JinjaException(
          String.format(
              Locale.ROOT,
              "texts of more than %d characters together, expected fewer",
              maxCharacters));
    }
  }

  /// Goes one level down: an expression in an expression, a call in a macro, a list in a list.
  void enter() {
    if (++depth > MAX_DEPTH) {
      throw new JinjaException(tooDeep(MAX_DEPTH));
    }
  }

  void leave() {
    depth--;
  }

  /// What is wrong with a parser that is `depth` levels down, if anything.
  static Optional<String> tooDeepToParse(int depth) {
    return depth > MAX_PARSER_DEPTH ? Optional.of(tooDeep(MAX_PARSER_DEPTH)) : Optional.empty();
  }

  private static String tooDeep(int max) {
    return String.format(Locale.ROOT, "nested more than %d levels deep, expected fewer", max);
  }
}
