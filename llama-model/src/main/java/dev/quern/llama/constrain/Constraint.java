package dev.quern.llama.constrain;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// What generated text must be: what a regular expression matches, or a JSON text that a schema
/// describes. Only tokens are chosen that go on towards such a text, and the text may end only
/// where it is one, or where the limit of tokens or the context cuts it off. Which texts are
/// allowed does not depend on the sampler: its options choose among those.
///
/// What can't be kept to is refused when the constraint is made, which costs up to some tens of
/// milliseconds. Immutable, and for any number of texts and threads, which share what was worked
/// out for a vocabulary: keep one that is used again.
///
/// A few texts that fit may be out of reach: those that need a byte which no token of the
/// vocabulary spells alone, JSON nested deeper than 64 levels of a schema that refers to itself,
/// and of expressions and schemas that can be read in very many ways at once some of these.
///
/// @since 0.1
/// @stability api
public final class Constraint {
  private static final int MAX_DESCRIPTION = 200;

  private final String description;
  private final Expression expression;
  private final Set<String> specials; // control tokens that it wants
  private final Grammar grammar;
  private final Map<Tokenizer, TokenMasks> masks = new WeakHashMap<>(); // guarded by itself

  private Constraint(String description, Expression expression, Set<String> specials) {
    this.description = description;
    this.expression = expression;
    this.specials = specials;
    grammar = GrammarBuilder.build(expression);
    BitSet bytes = new BitSet(256);
    bytes.set(0, 256);
    if (Need.of(grammar, bytes)[0] > Automaton.MAX_DEPTH) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "constraint: %s: no text fits within %d levels, expected one that does",
              description,
              Automaton.MAX_DEPTH));
    }
  }

  /// The text is one that an expression matches as a whole: literals, `.` (no line ends), classes
  /// (`[a-z]`, `[^"]`), `\d \D \w \W \s \S` (of ASCII), `\t \n \r \f \xHH \` + `uHHHH`, groups,
  /// alternation, and `* + ? {m} {m,} {m,n}`, greedy or not, which is the same here. `^` and `$`
  /// may stand at the ends of an alternative. All as in [java.util.regex.Pattern], character by
  /// character of Unicode.
  ///
  /// @throws RequestException for anything else (look-around, back references, flags, Unicode
  ///   classes, possessive quantifiers), and where the expression is too large
  public static Constraint regex(String expression) {
    return new Constraint(
        "regex " + Printable.quoted(expression), RegexParser.parse(expression), Set.of());
  }

  /// The text is a JSON text that a schema describes (draft 2020-12, of which docs/use.md has the
  /// keywords). It has no blanks but at most one space behind each `:` and `,`; properties come in
  /// the schema's order.
  ///
  /// @throws RequestException if the schema is none, has a keyword that is not kept to, describes
  ///   no text, or is too large
  public static Constraint jsonSchema(String schema) {
    return new Constraint("JSON schema", SchemaCompiler.compile(schema), Set.of());
  }

  /// The text is a JSON object, of any content.
  public static Constraint jsonObject() {
    return new Constraint("JSON object", new JsonTexts().anyObject(), Set.of());
  }

  /// The text is this one.
  public static Constraint text(String text) {
    return new Constraint("text " + Printable.quoted(text), Expression.text(text), Set.of());
  }

  /// A control token, which is none of the text, at this place.
  ///
  /// @param token its entry in the vocabulary, such as `[TOOL_CALLS]`; one without it is refused
  ///   when a text begins
  public static Constraint token(String token) {
    return new Constraint(
        "token " + Printable.quoted(token), new Expression.Special(token), Set.of(token));
  }

  /// The text is one that fits each of these, one behind the other.
  public static Constraint sequence(List<Constraint> parts) {
    return combined("sequence", parts, Expression.Sequence::new);
  }

  /// The text is one that fits one of these; which one need not be known before its end.
  public static Constraint oneOf(List<Constraint> options) {
    return combined("one of", options, Expression.Choice::new);
  }

  private static Constraint combined(
      String what, List<Constraint> parts, Function<List<Expression>, Expression> how) {
    String all = parts.stream().map(part -> part.description).collect(Collectors.joining(", "));
    return new Constraint(
        what + " " + Printable.cut(all, MAX_DESCRIPTION),
        how.apply(parts.stream().map(part -> part.expression).toList()),
        parts.stream().flatMap(p -> p.specials.stream()).collect(Collectors.toUnmodifiableSet()));
  }

  /// Begins a text.
  ///
  /// @param ends tokens that end a text, each allowed where the text fits; as a rule
  ///   [Tokenizer#endOfGeneration()]
  /// @throws RequestException if the vocabulary can spell no text that fits
  /// @throws IllegalArgumentException if the vocabulary lacks one of the tokens
  public ConstraintState start(Tokenizer tokenizer, Set<Integer> ends) {
    Set<Integer> all = Set.copyOf(ends);
    all.forEach(tokenizer::isEndOfGeneration); // refuses those that there are not
    for (String special : specials) {
      OptionalInt id = tokenizer.id(special);
      if (id.isEmpty() || !tokenizer.isHidden(id.getAsInt())) {
        throw new RequestException(
            String.format(
                Locale.ROOT,
                "constraint: token %s, expected a control token of the vocabulary",
                Printable.quoted(special)));
      }
    }
    return new ConstraintState(masks(tokenizer), tokenizer, all);
  }

  private TokenMasks masks(Tokenizer tokenizer) {
    synchronized (masks) {
      return masks.computeIfAbsent(tokenizer, t -> new TokenMasks(grammar, TokenTexts.of(t)));
    }
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "Constraint[%s]", description);
  }
}
