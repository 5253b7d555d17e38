package dev.quern.llama.constrain;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;

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
  private final String description;
  private final Grammar grammar;
  private final Map<Tokenizer, TokenMasks> masks = new WeakHashMap<>(); // guarded by itself

  private Constraint(String description, Expression expression) {
    this.description = description;
    grammar = GrammarBuilder.build(expression);
    BitSet bytes = new BitSet(256);
    bytes.set(0, 256);
    if (Need.of(grammar, bytes)[0] > Automaton.MAX_DEPTH) {
      throw new LlamaException(
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
  /// @throws LlamaException for anything else (look-around, back references, flags, Unicode
  ///   classes, possessive quantifiers), and where the expression is too large
  public static Constraint regex(String expression) {
    return new Constraint("regex " + Printable.quoted(expression), RegexParser.parse(expression));
  }

  /// The text is a JSON text that a schema describes (draft 2020-12, of which docs/use.md has the
  /// keywords). It has no blanks but at most one space behind each `:` and `,`; properties come in
  /// the schema's order.
  ///
  /// @throws LlamaException if the schema is none, has a keyword that is not kept to, describes no
  ///   text, or is too large
  public static Constraint jsonSchema(String schema) {
    return new Constraint("JSON schema", SchemaCompiler.compile(schema));
  }

  /// The text is a JSON object, of any content.
  public static Constraint jsonObject() {
    return new Constraint("JSON object", new JsonTexts().anyObject());
  }

  /// Begins a text.
  ///
  /// @param ends tokens that end a text, each allowed where the text fits; as a rule
  ///   [Tokenizer#endOfGeneration()]
  /// @throws LlamaException if the vocabulary can spell no text that fits
  /// @throws IllegalArgumentException if the vocabulary lacks one of the tokens
  public ConstraintState start(Tokenizer tokenizer, Set<Integer> ends) {
    Set<Integer> all = Set.copyOf(ends);
    all.forEach(tokenizer::isEndOfGeneration); // refuses those that there are not
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
