package dev.quern.llama.constrain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.LlamaException;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.statistics.Statistics;

/// Regular expressions match what Java's do, and what they don't do is refused.
class RegexTest {
  private static int generated;

  /// Characters of one to four bytes, some of which share all but their last ones.
  private static final List<String> LETTERS =
      List.of(
          "a", "b", "-", "7", "\n", " ", "é", "è", "\u07ff", "\u0800", "日", "本", "\uffff", "😀",
          "😁");

  /// Longer ones may be refused for their size, and take Java's backtracking minutes.
  private static final int LONGEST = 40;

  @Provide
  Arbitrary<String> expressions() {
    return Combinators.combine(Arbitraries.of("", "^"), parts(), Arbitraries.of("", "$"))
        .as((first, x, last) -> first + x + last)
        .list()
        .ofMinSize(1)
        .ofMaxSize(2)
        .map(l -> String.join("|", l))
        .filter(expression -> expression.length() <= LONGEST);
  }

  private Arbitrary<String> parts() {
    return Arbitraries.lazyOf(
        () ->
            Arbitraries.of(
                "a", "b", "ab", "é", "日", "😀", "\\n", "\\-", "\\u65e5", "\\x61", "\\uD83D\\uDE00"),
        () -> Arbitraries.of(".", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S"),
        () ->
            Arbitraries.of(
                "[ab]",
                "[^a]",
                "[a-z]",
                "[^\\d\\s]",
                "[é-日]",
                "[\\w-]",
                "[-7]",
                "[^😀]",
                "[\\u0080-\\uffff]"),
        () -> Combinators.combine(parts(), parts()).as((x, y) -> x + y),
        () -> Combinators.combine(parts(), parts()).as((x, y) -> "(" + x + "|" + y + ")"),
        () ->
            Combinators.combine(
                    parts(),
                    Arbitraries.of(
                        "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??"))
                .as((x, q) -> "(?:" + x + ")" + q),
        () -> parts().map(x -> "(" + x + "|)"));
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.of(LETTERS).list().ofMaxSize(6).map(l -> String.join("", l));
  }

  @Property(tries = 2000)
  void matchesWhatJavaDoes(
      @ForAll("expressions") String expression, @ForAll("texts") String text, @ForAll long seed) {
    Pattern java = Pattern.compile(expression);
    Language language = new Language(RegexParser.parse(expression));
    boolean matches = java.matcher(text).matches();
    Statistics.label("random text").collect(matches);
    assertEquals(matches, language.has(text), expression);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 3; i++) {
      language
          .text(random, 40)
          .ifPresent(own -> {
            generated++;
            assertTrue(java.matcher(own).matches(), () -> expression + " made " + own);
          });
    }
  }

  @AfterContainer
  static void textsWereMade() {
    assertTrue(generated > 500 || generated == 0, generated + " texts");
  }

  @Property(tries = 500)
  void searchesWhatJavaFinds(
      @ForAll("expressions") String expression, @ForAll("texts") String text, @ForAll long seed) {
    Pattern java = Pattern.compile(expression);
    Language language = new Language(RegexParser.search(expression));
    if (language.has(text)) { // not the other way round: JavaScript's spaces
      assertTrue(java.matcher(text).find(), expression);
    } else if (java.matcher(text).find()) {
      assertTrue(
          expression.contains("\\S") || expression.contains("\\s") || expression.contains("$"),
          expression);
    }
    language
        .text(new SplittableRandom(seed), 40)
        .ifPresent(own -> assertTrue(java.matcher(own).find(), () -> expression + " made " + own));
  }

  @Example
  void refusesWhatItCannotKeepTo() {
    String[][] cases = {
      {"(?=a)b", "character 1: '?'"},
      {"(?!a)b", "character 1: '?'"},
      {"a(?<=a)", "character 2: '?'"},
      {"(?i)a", "character 1: '?'"},
      {"(?<n>a)", "character 1: '?'"},
      {"(a)\\1", "character 3: '\\\\'"},
      {"\\bword", "character 0: '\\\\'"},
      {"\\p{L}", "character 0: '\\\\'"},
      {"\\k", "character 0: '\\\\'"},
      {"ab\\", "character 2: '\\\\'"},
      {"a**", "character 2: '*'"},
      {"a*+", "character 2: '+'"},
      {"a{2}{3}", "character 4: '{'"},
      {"a{3,2}", "character 6: its end"},
      {"a{,2}", "character 2: ','"},
      {"a{9999999999}", "character 11: '9'"},
      {"*a", "character 0: '*'"},
      {"a|?", "character 2: '?'"},
      {"(a", "character 2: its end"},
      {"a)", "character 1: ')'"},
      {"[a", "character 2: its end"},
      {"[]a]", "character 1: ']'"},
      {"[a[b]]", "character 2: '['"},
      {"[a&&b]", "character 2: '&'"},
      {"[z-a]", "character 4: ']'"},
      {"[\\d-z]", "character 4: 'z'"},
      {"a^b", "character 1: '^'"},
      {"(^a)", "character 1: '^'"},
      {"(a$)", "character 2: '$'"},
      {"a$b", "character 2: 'b'"},
      {"\\uD83D", "character 6: its end"},
      {"\\xg0", "character 2: 'g'"},
      {"\uD83D", "character 0: '\\ud83d'"},
    };
    for (String[] c : cases) {
      String message =
          assertThrows(LlamaException.class, () -> Constraint.regex(c[0]), c[0]).getMessage();
      assertTrue(
          message.startsWith("constraint: regex, " + c[1] + ", expected "), c[0] + ": " + message);
    }
  }

  @Example
  void hostileOnesAreRefusedOrBounded() {
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          for (String large :
              List.of(
                  "a{1,1000000}",
                  "(a{1,1000}){1,1000}",
                  "((((a{99}){99}){99}){99}){99}",
                  "(){1,999999999}",
                  "(|){999999999,}",
                  "(.{1000}){1000}",
                  "[^a]{100000}",
                  "a".repeat(100_001),
                  "(".repeat(10_000) + "a" + ")".repeat(10_000))) {
            assertThrows(
                LlamaException.class, () -> Constraint.regex(large), large.substring(0, 10));
          }
          SplittableRandom random = new SplittableRandom(1);
          for (String ambiguous :
              List.of(
                  "(a+)+",
                  "((a*)*)*",
                  "(a|a)*",
                  "(a|aa)+b?",
                  "(a?){500}a{500}",
                  "(.*a){20}",
                  "(.*)(.*)(.*)(.*)x",
                  "[ab]*a[ab]{400}",
                  "(x+x+)+y",
                  "(.{0,300}){0,9}",
                  "(((((a?)*)?)*)?)*")) {
            Language language = new Language(RegexParser.parse(ambiguous));
            for (int i = 0; i < 5; i++) {
              language
                  .text(random, 2000)
                  .ifPresent(own ->
                      assertTrue(
                          own.length() > 500
                              || Pattern.compile(ambiguous.replace("+)+", ")+"))
                                  .matcher(own)
                                  .matches()
                              || ambiguous.contains("x+"),
                          ambiguous));
            }
          }
        });
  }
}
