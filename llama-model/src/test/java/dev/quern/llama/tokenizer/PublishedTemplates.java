package dev.quern.llama.tokenizer;

import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Templates of published models, with vocabularies that have their tokens.
public final class PublishedTemplates {
  /// What such models have as tokens, as far as templates spell it whole.
  private static final Pattern TOKEN =
      Pattern.compile(
          "<[|\uff5c][^\\s<>'\"|\uff5c]+[|\uff5c]>|\\[/?[A-Z][A-Z_]+\\]|</?[a-z][a-z_]+>|<s>|</s>");

  private PublishedTemplates() {}

  /// By the files' names.
  public static Map<String, String> all() throws IOException {
    Map<String, String> sources = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(SharedFiles.file("templates"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".jinja")).sorted().toList()) {
        sources.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return sources;
  }

  static List<String> tokensOf(String source) {
    List<String> tokens = new ArrayList<>(List.of("<s>", "</s>"));
    TOKEN.matcher(source).results().map(found -> found.group()).distinct().forEach(tokens::add);
    return tokens.stream().distinct().toList();
  }

  static Tokenizer tokenizer(List<String> tokens, int type) {
    TestDefinition definition = TestDefinition.bytePair("Ċ Ċ");
    for (String token : tokens) {
      if (!definition.tokens.contains(token)) {
        definition.add(token, type);
      }
    }
    definition.addBos = Optional.of(false);
    return definition.tokenizer();
  }

  /// A vocabulary in which what a template spells like a control token is one, and tags such as
  /// `<tool_call>` are text, as they are in Qwen's and Hermes'.
  public static Tokenizer tokenizerFor(String source) {
    return tokenizer(
        tokensOf(source).stream().filter(t -> !t.matches("</?[a-z_]{2,}>")).toList(),
        TestDefinition.CONTROL);
  }

  /// The same, in which some tags are control tokens too.
  public static Tokenizer tokenizerFor(String source, List<String> tags) {
    List<String> tokens =
        new ArrayList<>(
            tokensOf(source).stream().filter(t -> !t.matches("</?[a-z_]{2,}>")).toList());
    tokens.addAll(tags);
    return tokenizer(tokens, TestDefinition.CONTROL);
  }

  public static ChatTemplate template(Tokenizer tokenizer, String source) {
    return ChatTemplate.of(
        tokenizer, Optional.of(source), Optional.empty(), LocalDate.of(2026, 9, 3));
  }
}
