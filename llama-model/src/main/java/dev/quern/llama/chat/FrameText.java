package dev.quern.llama.chat;

import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Text with control tokens in it, which are told from the same letters as text: they stand between
/// two characters that no text has (Unicode's noncharacters). Parts of a frame also have slots for
/// what differs from call to call.
final class FrameText {
  /// A call's id.
  static final char ID = '\ufdd0';

  /// A call's number in its reply, from 0.
  static final char INDEX = '\ufdd1';

  private static final char BEGIN = '\ufdd2';
  private static final char END = '\ufdd3';

  private static final Pattern TAG =
      Pattern.compile(BEGIN + "[^" + END + "]*" + END + "|<[^<>\\s]{1,64}>|\\[/?[A-Z_]{2,64}\\]");

  private FrameText() {}

  /// A control token's place.
  static String token(String name) {
    return BEGIN + name + END;
  }

  static boolean hasToken(CharSequence text) {
    return text.chars().anyMatch(c -> c == BEGIN);
  }

  /// Where a part of a text ends, before the first control token in it.
  static int beforeToken(CharSequence text, int from, int to) {
    int at = from;
    while (at < to && text.charAt(at) != BEGIN) {
      at++;
    }
    return at;
  }

  /// A text in which the names of control tokens are those tokens.
  static String marked(String text, Tokenizer tokenizer) {
    String names =
        IntStream.range(0, tokenizer.vocabularySize())
            .filter(tokenizer::isHidden)
            .mapToObj(tokenizer::text)
            .filter(name -> !name.isBlank() && text.contains(name))
            .sorted(Comparator.comparingInt(String::length).reversed())
            .map(Pattern::quote)
            .collect(Collectors.joining("|"));
    return names.isEmpty()
        ? text
        : Pattern.compile(names)
            .matcher(text)
            .replaceAll(found -> Matcher.quoteReplacement(token(found.group())));
  }

  /// How many first characters two texts share, without a part of a tag.
  static int sharedStart(String a, String b) {
    int n = 0;
    while (n < Math.min(a.length(), b.length()) && a.charAt(n) == b.charAt(n)) {
      n++;
    }
    Matcher tag = TAG.matcher(a);
    while (tag.find() && tag.start() < n) {
      if (n < tag.end()) {
        return tag.start();
      }
    }
    return n;
  }

  /// Where the end begins that a text shares with another, without a part of a tag.
  static int sharedEnd(String text, String other) {
    int n = 0;
    while (n < Math.min(text.length(), other.length())
        && text.charAt(text.length() - 1 - n) == other.charAt(other.length() - 1 - n)) {
      n++;
    }
    int at = text.length() - n;
    Matcher tag = TAG.matcher(text);
    while (tag.find() && tag.start() < at) {
      if (at < tag.end()) {
        return tag.end();
      }
    }
    return at;
  }

  /// What reads a part of a frame, of whatever white space; also before it, and not behind it.
  static Pattern pattern(String part) {
    StringBuilder regex = new StringBuilder("\\s*");
    for (char c : part.strip().toCharArray()) {
      switch (c) {
        case ID -> regex.append("(?<id>[A-Za-z0-9_.:-]{1,64})");
        case INDEX -> regex.append("\\d{1,4}");
        default -> {
          if (!Character.isWhitespace(c)) {
            regex.append(Pattern.quote(String.valueOf(c)));
          } else if (regex.lastIndexOf("\\s*") != regex.length() - 3) {
            regex.append("\\s*");
          }
        }
      }
    }
    return Pattern.compile(regex.toString());
  }

  /// A part of a frame, as text that a model is held to.
  static List<Constraint> constraints(String part) {
    List<Constraint> all = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < part.length(); i++) {
      char c = part.charAt(i);
      if (c != ID && c != INDEX && c != BEGIN) {
        text.append(c);
        continue;
      }
      if (!text.isEmpty()) {
        all.add(Constraint.text(text.toString()));
        text.setLength(0);
      }
      switch (c) {
        case ID -> all.add(Constraint.regex("[A-Za-z0-9]{9}"));
        case INDEX -> all.add(Constraint.text("0"));
        default -> {
          int end = part.indexOf(END, i);
          all.add(Constraint.token(part.substring(i + 1, end)));
          i = end;
        }
      }
    }
    if (!text.isEmpty()) {
      all.add(Constraint.text(text.toString()));
    }
    return all;
  }

  /// Where a text begins behind control tokens and white space.
  static int behindTokens(CharSequence text) {
    int at = 0;
    boolean token = false;
    while (at < text.length()) {
      char c = text.charAt(at);
      token = c == BEGIN || token && c != END;
      if (!token && c != END && !Character.isWhitespace(c)) {
        break;
      }
      at++;
    }
    return at;
  }

  /// As people read it.
  static String shown(String part) {
    return part.replace(String.valueOf(BEGIN), "")
        .replace(String.valueOf(END), "")
        .replace(String.valueOf(ID), "ID")
        .replace(String.valueOf(INDEX), "N")
        .replace("\n", "\\n");
  }
}
