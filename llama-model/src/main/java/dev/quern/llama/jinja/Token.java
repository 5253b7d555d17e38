package dev.quern.llama.jinja;

/// A word of a template.
///
/// @param text of data and strings what they stand for, of everything else its spelling
/// @param line from 1
record Token(Kind kind, String text, int line) {
  enum Kind {
    DATA,
    TAG_BEGIN,
    TAG_END,
    PRINT_BEGIN,
    PRINT_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind expected, String spelling) {
    return kind == expected && text.equals(spelling);
  }

  String shown() {
    return switch (kind) {
      case DATA -> "text";
      case TAG_BEGIN -> "{%";
      case TAG_END -> "%}";
      case PRINT_BEGIN -> "{{";
      case PRINT_END -> "}}";
      case END -> "the template's end";
      default -> text;
    };
  }
}
