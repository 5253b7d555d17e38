package dev.quern.llama.tokenizer;

import dev.quern.llama.jinja.Rendering;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What a [ChatTemplate] makes of a conversation, and what the model has said behind it. Immutable.
///
/// @since 0.1
/// @stability api
public final class ChatPrompt {
  /// So many characters of a rendering are what so many tokens say.
  record Border(int characters, int tokens) {}

  private final Rendering rendering;
  private final int[] tokens; // of the prompt, then of the reply
  private final int prompt; // tokens
  private final Optional<String> reply;
  private final List<Border> borders; // behind earlier replies

  private ChatPrompt(
      Rendering rendering, int[] tokens, int prompt, Optional<String> reply, List<Border> borders) {
    this.rendering = rendering;
    this.tokens = tokens;
    this.prompt = prompt;
    this.reply = reply;
    this.borders = borders;
  }

  static ChatPrompt of(Rendering rendering, int[] tokens) {
    return new ChatPrompt(rendering, tokens, tokens.length, Optional.empty(), List.of());
  }

  /// The ids, BOS among them where the model wants it, the reply's behind them if there is one.
  public int[] tokens() {
    return tokens.clone();
  }

  /// What the template wrote, without a reply.
  public String text() {
    return rendering.text();
  }

  /// The prompt, and a reply to it, in place of one that it may have.
  ///
  /// @param generated the reply's tokens, without one that ended it
  /// @param text the reply, as it stands in the messages from now on
  public ChatPrompt withReply(int[] generated, String text) {
    int[] both = IntBuffer.concat(Arrays.copyOf(tokens, prompt), generated);
    return new ChatPrompt(rendering, both, prompt, Optional.of(text), borders);
  }

  /// How far a rendering is what these tokens say, at the end of a reply; empty where it is
  /// otherwise from before the first one's end.
  Optional<Border> borderIn(Rendering next) {
    if (reply.isPresent() && begins(next, rendering.text().length())) {
      int end = endOfReply(next.text(), rendering.text().length());
      if (end >= 0) {
        return Optional.of(new Border(end, tokens.length));
      }
    }
    return borders.reversed().stream()
        .filter(border -> begins(next, border.characters()))
        .findFirst();
  }

  /// A rendering that has the tokens before a border.
  ChatPrompt followedBy(Rendering next, int[] tokens, Border border) {
    List<Border> kept = new ArrayList<>(borders);
    kept.removeIf(earlier -> earlier.characters() >= border.characters());
    kept.add(border);
    return new ChatPrompt(next, tokens, tokens.length, Optional.empty(), kept);
  }

  /// Whether a rendering begins as this one does, in text and in who wrote it.
  private boolean begins(Rendering next, int characters) {
    return next.text().regionMatches(0, rendering.text(), 0, characters)
        && next.given().get(0, characters).equals(rendering.given().get(0, characters));
  }

  /// Where the reply ends that stands at a place of a text, but for the white space around it,
  /// which templates take away and models write; negative where it does not stand there.
  private int endOfReply(String text, int from) {
    String said = reply.orElseThrow();
    String core = ChatText.strip(said);
    int at = from;
    while (at < text.length() && !text.startsWith(core, at) && ChatText.isSpace(text.charAt(at))) {
      at++;
    }
    if (!text.startsWith(core, at)) {
      return -1;
    }
    int end = at + core.length();
    int behind = said.indexOf(core) + core.length();
    while (behind < said.length()
        && end < text.length()
        && said.charAt(behind) == text.charAt(end)) {
      behind++;
      end++;
    }
    return end;
  }
}
