package dev.quern.llama.constrain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.LlamaException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Which texts a schema has, and which schemas are refused. In these tests `'` stands for `"`.
class SchemaTest {
  private static Language of(String schema) {
    return new Language(SchemaCompiler.compile(schema.replace('\'', '"')));
  }

  private static void has(String schema, String... texts) {
    Language language = of(schema);
    for (String text : texts) {
      assertTrue(language.has(text.replace('\'', '"')), schema + " lacks " + text);
    }
  }

  private static void hasNot(String schema, String... texts) {
    Language language = of(schema);
    for (String text : texts) {
      assertFalse(language.has(text.replace('\'', '"')), schema + " has " + text);
    }
  }

  @Test
  void anything() {
    String[] values = {
      "null", "true", "-0.5e-10", "0", "''", "'\\u00e9\\\\ 日'", "[]", "{}", "[1,[2, {'a':[]}]]"
    };
    has("{}", values);
    has("{'type':['null','boolean','number','string','array','object']}", values);
    hasNot(
        "{}",
        "01",
        "+1",
        ".5",
        "1.",
        "nul",
        "'a",
        "[1,]",
        "[ 1]",
        "{'a' :1}",
        "{'a':  1}",
        "{a:1}",
        "1 ",
        " 1",
        "'\n'",
        "'\\ud800'",
        "'\\x'");
  }

  @Test
  void depthIsBounded() {
    has("{}", "[".repeat(60) + "]".repeat(60));
    hasNot("{}", "[".repeat(66) + "]".repeat(66));
    String list = "{'properties':{'next':{'$ref':'#'}},'required':['next'],'type':'object'}";
    String end = "{'anyOf':[{'type':'null'}," + list + "]}";
    has(end, "{'next':".repeat(60) + "null" + "}".repeat(60));
    hasNot(end, "{'next':".repeat(66) + "null" + "}".repeat(66));
  }

  @Test
  void objects() {
    String some =
        "{'type':'object','properties':{'a':{'type':'null'},'b':{'type':'null'},'c':{'type':'null'}},'required':['b']";
    has(
        some + "}",
        "{'b':null}",
        "{'a':null,'b':null}",
        "{'b':null, 'c':null}",
        "{'a':null,'b':null,'c':null}");
    hasNot(
        some + "}",
        "{}",
        "{'a':null}",
        "{'b':null,'a':null}",
        "{'b':null,}",
        "{,'b':null}",
        "{'b':null,'x':1}",
        "{'b':1}",
        "{'b':null,'b':null}");
    String open = some + ",'additionalProperties':{'type':'boolean'}}";
    has(open, "{'b':null}", "{'b':null,'x':true}", "{'b':null, '':true,'ab':false}");
    hasNot(
        open,
        "{'b':null,'x':null}",
        "{'x':true}",
        "{'b':null,'c':true}",
        "{'b':null,'\\u0063':true}");
    has(
        "{'required':['x'],'additionalProperties':{'type':'null'}}",
        "{'x':null}",
        "{'x':null,'y':null}");
    hasNot(
        "{'required':['x'],'additionalProperties':{'type':'null'}}", "{}", "{'x':null,'x':null}");
    has("{'additionalProperties':false}", "{}");
    hasNot("{'additionalProperties':false}", "{'a':1}");
    has("{'properties':{'a':false,'b':true}}", "{}", "{'b':[]}");
    hasNot("{'properties':{'a':false,'b':true}}", "{'a':1}");
  }

  @Test
  void arrays() {
    String range = "{'items':{'type':'null'},'minItems':2,'maxItems':3}";
    has(range, "[null,null]", "[null, null, null]");
    hasNot(range, "[]", "[null]", "[null,null,null,null]", "[null,null,]", "[1,1]");
    String pair = "{'type':'array','prefixItems':[{'const':1},{'const':2}]";
    has(pair + "}", "[]", "[1]", "[1,2]");
    hasNot(pair + "}", "[2]", "[1,2,3]", "[,2]");
    has(pair + ",'items':{'const':3},'minItems':2}", "[1,2]", "[1,2,3,3]");
    hasNot(pair + ",'items':{'const':3},'minItems':2}", "[1]", "[1,2,4]");
    has(pair + ",'minItems':3,'maxItems':4}", "[1,2,{}]", "[1,2,3,4]");
    hasNot(pair + ",'minItems':3,'maxItems':4}", "[1,2]", "[1,2,3,4,5]");
    has("{'items':{'const':1},'maxItems':0}", "[]");
    hasNot("{'items':{'const':1},'maxItems':0}", "[1]");
    has("{'items':false}", "[]");
    has("{'items':{'const':1},'maxItems':1}", "[]", "[1]");
    hasNot("{'items':{'const':1},'maxItems':1}", "[1,1]");
  }

  @Test
  void strings() {
    has("{'minLength':2,'maxLength':3}", "'日本'", "'a\\n😀'", "'\\u0041b'");
    hasNot("{'minLength':2,'maxLength':3}", "'a'", "'abcd'", "''");
    has("{'pattern':'^\\\\S+$'}", "'a\\\\b\\'x'");
    has("{'pattern':'b'}", "'abc'", "'b'");
    hasNot("{'pattern':'b'}", "'ac'", "''");
    hasNot("{'pattern':'^a$'}", "'ab'", "'ba'", "'\\u0061'");
    has("{'format':'date'}", "'2026-01-31'", "'2026-02-28'");
    hasNot("{'format':'date'}", "'2026-04-31'", "'2026-02-29'", "'2026-13-01'");
    has("{'format':'ipv4'}", "'255.0.10.199'");
    hasNot("{'format':'ipv4'}", "'256.0.0.1'", "'01.0.0.1'", "'1.1.1'");
  }

  @Test
  void integers() {
    long[][] ranges = {
      {0, 0},
      {-1, 1},
      {7, 130},
      {-130, -7},
      {-1005, 1999},
      {99, 101},
      {1000, 1000},
      {-20, 0},
      {0, 999}
    };
    for (long[] r : ranges) {
      Language closed = of("{'type':'integer','minimum':%d,'maximum':%d}".formatted(r[0], r[1]));
      Language open =
          of(
              "{'type':'integer','exclusiveMinimum':%d,'exclusiveMaximum':%d}"
                  .formatted(r[0] - 1, r[1] + 1));
      Language least = of("{'type':'integer','minimum':%d}".formatted(r[0]));
      Language most = of("{'type':'integer','maximum':%d.5}".formatted(r[1]));
      for (long i = -2200; i <= 2200; i++) {
        String text = Long.toString(i);
        assertEquals(r[0] <= i && i <= r[1], closed.has(text), text);
        assertEquals(r[0] <= i && i <= r[1], open.has(text), text);
        assertEquals(r[0] <= i, least.has(text), text);
        assertEquals(i <= r[1] + (r[1] >= 0 ? 0.5 : -0.5), most.has(text), text);
      }
      assertFalse(closed.has("-0") || closed.has("007"));
    }
    Language seven = of("{'type':'integer','multipleOf':7}");
    Language some = of("{'type':'integer','multipleOf':7,'minimum':-60,'exclusiveMaximum':63}");
    for (int i = -300; i <= 300; i++) {
      assertEquals(i % 7 == 0, seven.has("" + i));
      assertEquals(i % 7 == 0 && i >= -60 && i < 63, some.has("" + i));
    }
  }

  @Test
  void formatsOfNumbers() {
    Language small = of("{'type':'integer','format':'int32'}");
    Language bounded =
        of("{'type':'integer','format':'int32','minimum':-7,'exclusiveMaximum':3000000000}");
    Language large = of("{'type':'integer','format':'int64'}");
    for (long i : new long[] {Integer.MIN_VALUE, -7, 0, Integer.MAX_VALUE}) {
      assertTrue(small.has("" + i), "" + i);
      assertEquals(i >= -7, bounded.has("" + i), "" + i);
      assertTrue(large.has("" + i), "" + i);
    }
    for (long i : new long[] {Integer.MIN_VALUE - 1L, Integer.MAX_VALUE + 1L, 7_777_777_777L}) {
      assertFalse(small.has("" + i), "" + i);
      assertFalse(bounded.has("" + i), "" + i);
      assertTrue(large.has("" + i), "" + i);
    }
    for (String format : List.of("float", "double")) {
      assertTrue(of("{'type':'number','format':'%s'}".formatted(format)).has("0.5"));
    }
    refuses(
        "{'type':'integer','format':'date'}",
        "schema, |/format|: can|t be kept to, expected one of [int32, int64]");
    refuses(
        "{'type':'number','format':'int32'}",
        "schema, |/format|: can|t be kept to, expected one of [double, float]");
  }

  @Test
  void numbers() {
    double[][] ranges = {
      {0, 0}, {-1.25, 1.5}, {0.1, 0.25}, {2.5, 11.75}, {-11.75, -2.5}, {-0.5, 0}, {9.99, 10.01}
    };
    for (double[] r : ranges) {
      Language closed = of("{'type':'number','minimum':%s,'maximum':%s}".formatted(r[0], r[1]));
      Language open =
          of(
              "{'type':'number','exclusiveMinimum':%s,'exclusiveMaximum':%s}"
                  .formatted(r[0] - 0.001, r[1]));
      Language cents = of("{'type':'number','minimum':%s,'multipleOf':0.01}".formatted(r[0]));
      for (int i = -13000; i <= 13000; i++) {
        double value = i / 1000.0;
        String text = i % 1000 == 0 ? Integer.toString(i / 1000) : Double.toString(value);
        assertEquals(r[0] <= value && value <= r[1], closed.has(text), text);
        assertEquals(Math.round(r[0] * 1000) <= i && value < r[1], open.has(text), text);
        assertEquals(r[0] <= value && i % 10 == 0, cents.has(text), text);
      }
      assertFalse(closed.has("00") || closed.has("1.") || closed.has("-0"));
    }
  }

  @Test
  void combinations() {
    has("{'enum':[1,'a',null,{'k':[true]}]}", "1", "'a'", "null", "{'k':[true]}");
    hasNot("{'enum':[1,'a',null]}", "2", "'b'", "1.0", "");
    has("{'type':'string','enum':[1,'a']}", "'a'");
    hasNot("{'type':'string','enum':[1,'a']}", "1");
    has("{'anyOf':[{'type':'string'},{'const':'x'},{'minimum':3}]}", "'x'", "3");
    has("{'oneOf':[{'type':'string'},{'type':'integer'}]}", "'x'", "3");
    has(
        "{'allOf':[{'properties':{'a':{'const':1}},'required':['a']},{'$ref':'#/$defs/b'}],'$defs':{'b':{'properties':{'b':{'const':2}}}}}",
        "{'a':1}",
        "{'a':1,'b':2}");
    has("{'$ref':'#/$defs/a~1b~0%25','$defs':{'a/b~%':{'const':1}}}", "1");
    has("{'anyOf':[{'$ref':'#'},{'type':'null'}]}", "null");
    has(
        "{'title':'t','description':'d','default':1,'examples':[],'$comment':'c','$schema':'s','$id':'i','const':1}",
        "1");
  }

  private static void refuses(String schema, String start) {
    String message =
        assertThrows(
                LlamaException.class,
                () -> Constraint.jsonSchema(schema.replace('\'', '"')),
                schema)
            .getMessage();
    assertTrue(
        message.startsWith("constraint: " + start.replace('|', '\'')), schema + ": " + message);
  }

  @Test
  void refusesWhatItCannotKeepTo() {
    refuses(
        "{'properties':{'a':{'items':{'not':{}}}}}",
        "schema, |/properties/a/items/not|: can|t be kept to");
    for (String keyword :
        List.of(
            "if",
            "then",
            "contains",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "dependentRequired",
            "unevaluatedProperties",
            "$anchor",
            "$dynamicRef",
            "format_",
            "minimum")) {
      refuses(
          "{'type':'object','%s':1}".formatted(keyword),
          "schema, |/%s|: can|t be kept to".formatted(keyword));
    }
    refuses("{'uniqueItems':true}", "schema, |/uniqueItems|: can|t be kept to");
    refuses("{'format':'uri'}", "schema, |/format|: can|t be kept to, expected one of [date, ");
    refuses("{'pattern':'(?=a)'}", "schema, |/pattern|: regex, character 1: |?|, expected ");
    refuses(
        "{'pattern':'a','maxLength':3}", "schema, |/maxLength|: can|t be kept to beside pattern");
    refuses("{'type':'number','multipleOf':0.3}", "schema, |/multipleOf|: can|t be kept to");
    refuses(
        "{'type':'integer','multipleOf':7,'minimum':0}", "schema, |/multipleOf|: can|t be kept to");
    refuses(
        "{'oneOf':[{'type':'number'},{'type':'integer'}]}",
        "schema, |/oneOf|: options 0 and 1 may have");
    refuses(
        "{'oneOf':[{'properties':{'a':true}},{'type':'string'}]}",
        "schema, |/oneOf|: options 0 and 1 may have");
    refuses(
        "{'oneOf':[{'const':1},{'enum':[2,1.0]}]}", "schema, |/oneOf|: options 0 and 1 may have");
    refuses("{'anyOf':[{}],'type':'string'}", "schema, |/type|: can|t be kept to beside anyOf");
    refuses(
        "{'allOf':[{'type':'string'},{'minLength':1}]}",
        "schema, |/allOf/0/type|: can|t be kept to");
    refuses(
        "{'allOf':[{'properties':{'a':{'const':1}}},{'properties':{'a':{'const':2}}}]}",
        "schema, |/allOf/1/properties/a|: can|t be kept to");
    refuses("{'$ref':'other.json'}", "schema, |/$ref|: can|t be kept to");
    refuses("{'$ref':'#/$defs/none'}", "schema, |/$ref|: expected what it refers to");
    refuses("{'items':{'$id':'x'}}", "schema, |/items/$id|: can|t be kept to");
    refuses("{'type':'text'}", "schema, |/type|: expected one of");
    refuses("{'items':1}", "schema, |/items|: expected a schema");
    refuses("{'enum':[]}", "schema, |/enum|: expected an array of at least one");
    refuses(
        "{'minLength':3,'maxLength':2}", "schema, |/minLength|: expected no more than maxLength");
    refuses("{'minimum':1e400}", "schema, |/minimum|: expected a number of moderate size");
    refuses("{'const':'\\ud800'}", "schema, |/const|: half of a surrogate pair");
    refuses("[]", "schema: byte 0");
    refuses("{", "schema: JSON");
    refuses("{'type':'null','type':'null'}", "schema: JSON");
  }

  @Test
  void refusesWhatHasNoText() {
    for (String none :
        List.of(
            "{'$ref':'#'}",
            "{'anyOf':[{'$ref':'#'},{'$ref':'#'}]}",
            "{'properties':{'a':{'$ref':'#'}},'required':['a']}",
            "{'items':{'$ref':'#'},'minItems':1}",
            "{'properties':{'a':false},'required':['a']}",
            "{'required':['a'],'additionalProperties':false}",
            "{'type':'string','enum':[1]}",
            "{'type':'integer','minimum':2,'maximum':1}",
            "{'type':'integer','exclusiveMinimum':1,'exclusiveMaximum':2}",
            "{'type':'integer','minimum':1e20}")) {
      refuses(none, "JSON schema: no text fits within 64 levels");
    }
  }

  @Test
  void hostileOnesAreRefusedOrBounded() {
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          String large = "{'enum':[" + "1,".repeat(5_000_000) + "1]}";
          refuses(large, "schema of 10000012 characters, expected at most 1048576");
          refuses("{'items':".repeat(100) + "{}" + "}".repeat(100), "schema: JSON");
          refuses("{'maxLength':1000000000}", "an automaton of more than 300000");
          refuses(
              "{'items':{'maxLength':1000},'maxItems':1000000}",
              "an automaton of more than 300000");
          refuses("{'pattern':'(a{1000}){1000}'}", "an automaton of more than 300000");
          List<String> many = new ArrayList<>();
          IntStream.range(0, 40_000).forEach(i -> many.add("'a" + i + "':{'type':'null'}"));
          refuses(
              "{'properties':{" + String.join(",", many) + "}}",
              "an automaton of more than 300000");
          // Each level has twice the readings of the one before.
          String levels =
              IntStream.range(0, 50)
                  .mapToObj(i ->
                      "'d%1$d':{'anyOf':[{'items':{'$ref':'#/$defs/d%2$d'}},{'items':{'$ref':'#/$defs/d%2$d'}}]}"
                          .formatted(i, i + 1))
                  .collect(Collectors.joining(","));
          Language doubled =
              of("{'$ref':'#/$defs/d0','$defs':{" + levels + ",'d50':{'type':'null'}}}");
          assertTrue(doubled.has("[".repeat(50) + "null" + "]".repeat(50)));
          Language twice =
              of("{'anyOf':[{'items':{'$ref':'#'}},{'items':{'$ref':'#'}},{'type':'null'}]}");
          assertTrue(twice.has("[".repeat(60) + "]".repeat(60)));
          StringBuilder chain =
              new StringBuilder("{'$ref':'#/$defs/d0','$defs':{'d3000':{'type':'null'}");
          IntStream.range(0, 3000)
              .forEach(i -> chain.append(",'d" + i + "':{'$ref':'#/$defs/d" + (i + 1) + "'}"));
          assertTrue(of(chain + "}}").has("null"));
        });
  }
}
