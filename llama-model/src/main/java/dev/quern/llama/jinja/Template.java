package dev.quern.llama.jinja;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A chat template, read once and run as often as one likes. Immutable and thread-safe.
public final class Template {
  private static final int MAX_CHARACTERS = 1 << 20;

  private final List<Stmt> statements;

  private Template(List<Stmt> statements) {
    this.statements = statements;
  }

  /// @throws JinjaException where the text is no template, or uses what this interpreter lacks
  public static Template of(String source) {
    if (source.length() > MAX_CHARACTERS) {
      throw new JinjaException(
          String.format(
              Locale.ROOT,
              "%d characters, expected a template of at most %d",
              source.length(),
              MAX_CHARACTERS));
    }
    return new Template(TemplateParser.parse(source));
  }

  /// Runs the template.
  ///
  /// @param given names and values (Map, List, String, [Own], Number, Boolean, null):
  ///   conversations, tools and whatever else is not the template's
  /// @param own names and texts that count as the template's own, such as `bos_token`
  /// @param now what `strftime_now` tells
  /// @throws JinjaException where the template refuses this, fails, or goes beyond its bounds
  public Rendering render(Map<String, ?> given, Map<String, String> own, LocalDateTime now) {
    Scope scope = new Scope(null);
    Functions.addTo(scope);
    own.forEach((name, text) -> scope.set(name, Text.own(text)));
    given.forEach((name, value) -> scope.set(name, Value.given(value)));
    Evaluator evaluator = new Evaluator(new Budget(characters(given)), now);
    try {
      return Rendering.of(evaluator.text(statements, new Scope(scope)));
    } catch (JinjaException e) {
      throw new JinjaException(
          String.format(Locale.ROOT, "line %d: %s", evaluator.line(), e.getMessage()), e);
    }
  }

  private static long characters(Object json) {
    return switch (json) {
      case String text -> text.length();
      case List<?> list -> list.stream().mapToLong(Template::characters).sum();
      case Map<?, ?> map ->
          characters(List.copyOf(map.keySet()))
              + map.values().stream().mapToLong(Template::characters).sum();
      case null, default -> 8; // a number's or a word's
    };
  }
}
