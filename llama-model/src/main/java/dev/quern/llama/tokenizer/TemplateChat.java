package dev.quern.llama.tokenizer;

import dev.quern.llama.jinja.JinjaException;
import dev.quern.llama.jinja.Rendering;
import dev.quern.llama.jinja.Template;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// A model's own template, run. What it writes itself may become special tokens, and what it is
/// given never does.
///
/// A turn behind the first is what the template writes behind a reply: it renders a conversation
/// with a reply that stands for the one in the cache, which stays as the model left it. That holds
/// of templates that write a message once and leave it so; others are refused when they are loaded.
final class TemplateChat implements ChatTemplate {
  // What no template looks for, and none can cut: texts of a trial, and the reply's place.
  private static final String SYSTEM = "7c1fa";
  private static final String USER = "e03b9";
  private static final String REPLY = "4d86e";
  private static final String NEXT = "a95c2";

  private final Tokenizer tokenizer;
  private final Template template;
  private final Map<String, String> own = new HashMap<>();
  private final LocalDateTime now;

  /// @throws TokenizerException where the template can't be run, or does not write each message
  ///   once, in order
  TemplateChat(Tokenizer tokenizer, String source, LocalDate today) {
    this.tokenizer = tokenizer;
    this.now = today.atTime(LocalTime.now());
    own.put("bos_token", text(tokenizer.bos()));
    own.put("eos_token", text(tokenizer.eos()));
    try {
      template = Template.of(source);
      tryOut();
    } catch (JinjaException e) {
      TokenizerException failed =
          ChatTemplate.unusable("can't be run, " + e.getMessage() + ", expected one that can");
      failed.initCause(e);
      throw failed;
    }
  }

  private String text(OptionalInt token) {
    return token.isPresent() ? tokenizer.text(token.getAsInt()) : "";
  }

  /// A conversation begins as its first turn did, whatever is said later.
  private void tryOut() {
    Rendering later = render(turns(NEXT));
    compare(render(List.of(message("user", USER))), later);
    if (place(later, USER) > place(later, REPLY) || place(later, REPLY) > place(later, NEXT)) {
      throw rewrites();
    }
    List<Map<String, String>> withSystem = new ArrayList<>(turns(NEXT));
    withSystem.addFirst(message("system", SYSTEM));
    try {
      Rendering first = render(withSystem.subList(0, 2));
      place(first, SYSTEM);
      compare(first, render(withSystem));
    } catch (JinjaException e) {
      // It takes no system text, which firstTurn says to whoever has one.
    }
  }

  /// Both are the same up to the end of the first question.
  private static void compare(Rendering first, Rendering later) {
    int end = place(later, USER) + USER.length();
    if (place(first, USER) + USER.length() != end
        || !first.text().startsWith(later.text().substring(0, end))) {
      throw rewrites();
    }
  }

  private static TokenizerException rewrites() {
    return ChatTemplate.unusable(
        "writes earlier messages otherwise once others follow, or not at all, expected one that writes each once, in order");
  }

  /// Where a given text stands, which occurs once.
  private static int place(Rendering rendering, String given) {
    int at = rendering.text().indexOf(given);
    if (at < 0 || rendering.text().indexOf(given, at + 1) >= 0) {
      throw rewrites();
    }
    return at;
  }

  @Override
  public String name() {
    return "template";
  }

  @Override
  public int[] firstTurn(Optional<String> system, String user) {
    List<Map<String, String>> messages = new ArrayList<>();
    system.ifPresent(text -> messages.add(message("system", text)));
    messages.add(message("user", user));
    Rendering rendering = refusing(messages);
    IntBuffer out = new IntBuffer();
    int[] tokens = tokenizer.encode(rendering.text(), rendering.given(), true);
    OptionalInt bos = tokenizer.bos();
    if (tokenizer.addsBos() && (tokens.length == 0 || tokens[0] != bos.getAsInt())) {
      out.add(bos.getAsInt());
    }
    out.addAll(tokens);
    return out.toArray();
  }

  @Override
  public int[] nextTurn(String user) {
    Rendering rendering = refusing(turns(user));
    int from = rendering.text().indexOf(REPLY) + REPLY.length();
    BitSet given = rendering.given().get(from, rendering.text().length());
    return tokenizer.encode(rendering.text().substring(from), given, false);
  }

  private Rendering refusing(List<Map<String, String>> messages) {
    try {
      return render(messages);
    } catch (JinjaException e) {
      TokenizerException failed = new TokenizerException("chat: " + e.getMessage());
      failed.initCause(e);
      throw failed;
    }
  }

  private static List<Map<String, String>> turns(String next) {
    return List.of(message("user", USER), message("assistant", REPLY), message("user", next));
  }

  private static Map<String, String> message(String role, String content) {
    Map<String, String> message = new LinkedHashMap<>(); // some templates print it whole
    message.put("role", role);
    message.put("content", content);
    return message;
  }

  private Rendering render(List<Map<String, String>> messages) {
    Map<String, Object> given = new HashMap<>();
    given.put("messages", messages);
    given.put("add_generation_prompt", true);
    given.put("tools", null); // as transformers has it
    given.put("documents", null);
    return template.render(given, own, now);
  }
}
