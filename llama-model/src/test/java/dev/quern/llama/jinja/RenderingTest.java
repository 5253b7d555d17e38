package dev.quern.llama.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which characters a template wrote, and which it was given.
class RenderingTest {
  /// In the expected texts, a given character is written as a capital letter, all others small.
  @ParameterizedTest
  @CsvSource(
      delimiter = '→',
      quoteCharacter = '´',
      value = {
        "a{{ text }}b→aXYZb",
        "{{ 'a' + text + bos_token }}→aXYZbos",
        "{{ 'a' ~ text ~ 1 }}→aXYZ1",
        "{{ (' ' + text + ' ')|trim }}→XYZ",
        "{{ text[1:] + 'a' + text[0] }}→YZaX",
        "{{ text[::-1] }}→ZYX",
        "{{ text|reverse }}→ZYX",
        "{{ text.replace('y', 'b') }}→XbZ",
        "{{ 'aba'.replace('b', text) }}→aXYZa",
        "{{ 'aba'|replace('b', text) }}→aXYZa",
        "{{ (text + 'y' + text).split('y') | join('-') }}→X-Z-X-Z",
        "{{ [text, 'a'] | join(', ') }}→XYZ, a",
        "{{ 'a'.join([text, text]) }}→XYZaXYZ",
        "{{ text.join(['a', 'b']) }}→aXYZb",
        "{{ text|upper|lower }}{{ 'a'|upper|lower }}→XYZa",
        "{{ text|title|lower }}{{ text|capitalize|lower }}→XYZXYZ",
        "{{ [text, 'a'] }}→['XYZ', 'a']",
        "{{ {'a': text}|tojson }}→{`a`: `XYZ`}",
        "{{ {'a': [text]}|tojson(indent=1) | replace('\\n', '/') }}→{/ `a`: [/  `XYZ`/ ]/}",
        "{{ text|indent(2, true)|replace(' ', '.') }}→..XYZ",
        "{{ text|safe + 'a' }}→XYZa",
        "{{ 'a'|safe + text }}→aXYZ",
        "{% set x %}a{{ text }}{% endset %}{{ x }}→aXYZ",
        "{% macro f(t) %}a{{ t }}{% endmacro %}{{ f(text) + 'b' }}→aXYZb",
        "{% for c in text %}{{ c }},{% endfor %}→X,Y,Z,",
        "{% filter trim %} {{ text }}a {% endfilter %}→XYZa",
        "{{ messages[0].role }}:{{ messages[0]['content'] }}→USER:HI",
        "{{ text if text == 'xyz' else 'a' }}→XYZ",
        "{% if text == 'xyz' %}xyz{% endif %}→xyz",
        "{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}→ROLE=USER;CONTENT=HI;",
        "{{ text * 2 }}{{ 'a' * 2 }}→XYZXYZaa",
        "{{ text.split()[0].strip('x') }}→YZ",
        "{{ text|list|last }}{{ text|first }}→ZX",
        "{{ messages|map(attribute='role')|join('+') }}→USER",
        "{{ text|string }}{{ text|default('a') }}{{ nope|default(text) }}{{ nope|d('a') }}→XYZXYZXYZa",
        "{{ text.removeprefix('x') }}{{ text.partition('y')[2] }}→YZZ",
        "{{ text|escape }}{{ text|e|e }}→XYZXYZ"
      })
  void isKnownOfEachCharacter(String source, String expected) {
    Map<String, Object> ordered = new LinkedHashMap<>();
    ordered.put("role", "user");
    ordered.put("content", "hi");
    Rendering rendering =
        Template.of(source)
            .render(
                Map.of("text", "xyz", "messages", List.of(ordered)),
                Map.of("bos_token", "bos"),
                Jinja2.NOW);
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < rendering.text().length(); i++) {
      char c = rendering.text().charAt(i);
      shown.append(rendering.given().get(i) ? Character.toUpperCase(c) : c);
    }
    assertEquals(expected.replace('`', '"'), shown.toString());
  }

  /// What is escaped or spelt longer stays given.
  @Test
  void escapesAreGiven() {
    for (String filter : List.of("escape", "tojson", "upper", "string|list|string")) {
      Rendering rendering =
          Template.of("{{ text|" + filter + " }}")
              .render(Map.of("text", "\"\nß<"), Map.of(), Jinja2.NOW);
      String own = "";
      for (int i = 0; i < rendering.text().length(); i++) {
        own += rendering.given().get(i) ? "" : rendering.text().charAt(i);
      }
      assertTrue(own.matches("[\\[\\]', \"]*"), filter + ": " + own);
      assertTrue(rendering.given().cardinality() >= 4, filter);
    }
  }

  @Test
  void refusalsSayWhere() {
    String message =
        assertThrows(
                JinjaException.class,
                () ->
                    Template.of("a\n{% if true %}\n\n{{ 'a' +\n1 }}{% endif %}")
                        .render(Map.of(), Map.of(), Jinja2.NOW))
            .getMessage();
    assertEquals(
        "line 4: + between a string and an integer, expected two values that have it", message);
    message =
        assertThrows(JinjaException.class, () -> Template.of("a\n\n{{ 'a'|nope }}")).getMessage();
    assertTrue(message.startsWith("line 3: the filter nope, expected one of [abs, "), message);
    message =
        assertThrows(
                JinjaException.class,
                () ->
                    Template.of("{{ raise_exception('No\n' + text) }}")
                        .render(Map.of("text", "\u001b[31m"), Map.of(), Jinja2.NOW))
            .getMessage();
    assertEquals("line 1: the template refuses this: No\\n\\u001b[31m", message);
  }
}
