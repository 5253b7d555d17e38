package dev.quern.llama.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A template is a stranger's program: whatever it says, an answer comes soon, in bounded memory.
class HostileTemplatesTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% set x = range(99999)|list %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999)|sort %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% if 'x' in range(99999) %}{% endif %}{% endfor %}",
        "{% set x = 'a' * 999999 %}{% for a in range(99999) %}{% if x is lower %}{% endif %}{% endfor %}",
        "{% set x = ' ' * 999999 %}{% for a in range(99999) %}{% if x.strip() %}{% endif %}{% endfor %}",
        "{% set x = 'a' * 999999 %}{% for a in range(99999) %}{% if 'b' in x %}{% endif %}{% endfor %}",
        "{% set x = 'a' * 999999 %}{% if 'a' * 500000 + 'b' in x %}{% endif %}",
        "{% for a in range(99999) %}{% if ('a ' * 9999).rsplit() %}{% endif %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x < ns.x }}",
        "{% set x = range(99999)|list %}{% for i in range(99999) %}{% if x[::2] %}{% endif %}{% endfor %}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(30) }}",
        "{% macro f(x) %}{% call f(x) %}{% endcall %}{% endmacro %}{{ f(1) }}",
        "{% macro f(a=f()) %}{% endmacro %}{{ f() }}"
      })
  void endsByTheStepsOrTheDepth(String source) {
    assertTrue(refusal(source).matches("line 1: (more than|nested).*"), refusal(source));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ 'a' * 10 ** 9 }}",
        "{{ 10 ** 18 * 'a' }}",
        "{{ [1] * 10 ** 9 }}",
        "{{ () * 10 ** 18 }}",
        "{{ 'a'|indent(10 ** 9) }}",
        "{{ {}|tojson(indent=10 ** 9) }}",
        "{% set x = 'ab' * 100000 %}{{ x|replace('a', x) }}",
        "{% set x = 'ab' * 100000 %}{{ x.replace('', x) }}",
        "{% set x = ['ab' * 100000] * 1000 %}{{ x|join('a' * 100000) }}",
        "{% set x = ['ab' * 100000] * 1000 %}{{ x }}",
        "{% set x = ['ab' * 100000] * 1000 %}{{ x|tojson }}",
        "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x }}",
        "{% set ns = namespace(x=1) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|tojson }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
        "{% for i in range(99999) %}{{ 'a' * 100000 }}{% endfor %}",
        "{% for i in range(99999) %}{% set x = ('a' * 10000).split('a') %}{% endfor %}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 2 ** 64 }}"
      })
  void whatIsTooLargeIsNotMade(String source) {
    refusal(source);
  }

  /// Their hashes would be reckoned for ever.
  @Test
  void nestedTuplesAreNoKeys() {
    String nested =
        "{% set ns = namespace(x=(1,)) %}{% for i in range(99) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}";
    refusal(nested + "{{ {ns.x: 1} }}");
    refusal(nested + "{{ [ns.x, ns.x]|unique|list }}");
    refusal(nested + "{{ {}.get(ns.x) }}");
  }

  @Test
  void deepTextIsRefusedByTheParser() {
    for (String part :
        List.of("(", "[", "{'a':", "not ", "-", "1 if ", "f(", "a[", "x|f(", "'a'~", "a.b", "1<")) {
      refusal("{{ " + part.repeat(100_000) + " }}");
    }
    for (String part :
        List.of(
            "{% if a %}", "{% for a in b %}", "{% macro a() %}", "{% set a %}", "{{", "{#", "{%")) {
      refusal(part.repeat(20_000));
    }
    refusal("{{ " + "1 + ".repeat(100_000) + "1 }}");
    refusal("{{ a" + "|upper".repeat(100_000) + " }}");
    refusal("{% if a %}" + "{% elif a %}".repeat(10_000));
    refusal(" ".repeat((1 << 20) + 1));
  }

  /// Whatever is written: a text or a refusal, and no other failure.
  @Test
  void anyTextHasAnAnswer() throws IOException {
    List<String> templates;
    try (InputStream in = Jinja2.resource("small-templates.txt")) {
      templates =
          new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.startsWith("//"))
              .toList();
    }
    Random random = new Random(11);
    for (int i = 0; i < 20_000; i++) {
      String source = templates.get(random.nextInt(templates.size()));
      String other = templates.get(random.nextInt(templates.size()));
      int from = random.nextInt(source.length() + 1);
      int to = Math.min(source.length(), from + random.nextInt(4));
      int begin = random.nextInt(other.length());
      int end = Math.min(other.length(), begin + random.nextInt(8));
      String mutant =
          source.substring(0, from) + other.substring(begin, end) + source.substring(to);
      try {
        Template.of(mutant)
            .render(Map.of("text", "a", "numbers", List.of(1, 2)), Map.of(), Jinja2.NOW);
      } catch (JinjaException e) {
        assertTrue(e.getMessage().startsWith("line "), e.getMessage());
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError(mutant, e);
      }
    }
  }

  /// Nothing of Java is in reach, and nothing of Python that Jinja's sandbox hides.
  @Test
  void noObjectIsInReach() {
    for (String name :
        List.of(
            "class",
            "getClass",
            "__class__",
            "__init__",
            "hashCode",
            "toString",
            "wait",
            "chars")) {
      for (String of : List.of("text", "1", "[]", "{}", "none", "range", "f", "raise_exception")) {
        String source = "{% macro f() %}{% endmacro %}{{ " + of + "." + name + " is defined }}";
        assertEquals("False", render(source), source);
      }
    }
  }

  /// A text of many turns: the bounds grow with what is rendered.
  @Test
  void longConversationsAreRendered() {
    String turn = "x".repeat(2000);
    List<Map<String, String>> messages =
        IntStream.range(0, 1000)
            .mapToObj(i -> Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", turn))
            .toList();
    Template template =
        Template.of(
            """
            {%- for message in messages %}
                {%- set ns = namespace(later=false) %}
                {%- for other in messages[loop.index:] %}
                    {%- if other.role == 'tool' %}{% set ns.later = true %}{% endif %}
                {%- endfor %}
                {{- '<' + message.role + '>' + message.content|trim + '</>' }}
            {%- endfor %}
            """);
    String text = template.render(Map.of("messages", messages), Map.of(), Jinja2.NOW).text();
    assertEquals(1000 * 2005 + 500 * (4 + 9), text.length());
  }

  private static String refusal(String source) {
    return assertTimeoutPreemptively(
        SOON,
        () -> assertThrows(JinjaException.class, () -> render(source), source).getMessage(),
        source.substring(0, Math.min(200, source.length())));
  }

  private static String render(String source) {
    return Template.of(source).render(Map.of("text", "a"), Map.of(), Jinja2.NOW).text();
  }
}
