/**
 * Who on the page follows which single thing on the one WebSocket. The socket asks for the channels
 * here beside its own, and hands over what it hears on them.
 */

/** `changed()` is called when the channels are others than before. */
export function createFollowing(changed) {
  const followers = new Map();

  function leave(channel, follower) {
    const present = followers.get(channel);
    if (!present?.delete(follower)) return;
    if (present.size > 0) return;
    followers.delete(channel);
    changed();
  }

  return {
    channels: () => [...followers.keys()],
    /**
     * Follows `channel` until the function that this returns is called. `begin()` is called each time
     * that lines may have been missed and everything from now on is heard; `line(words, message)` for
     * each line; `refused(words)` if the station will not.
     */
    follow(channel, { begin, line, refused }) {
      const follower = { begin, line, refused, begun: false };
      if (!followers.has(channel)) followers.set(channel, new Set());
      followers.get(channel).add(follower);
      changed();
      return () => leave(channel, follower);
    },
    /** The station sends these channels now; with `fresh`, after a time when nothing was heard. */
    heard(channels, fresh) {
      for (const channel of channels) {
        for (const follower of followers.get(channel) ?? []) {
          if (follower.begun && !fresh) continue;
          follower.begun = true;
          follower.begin();
        }
      }
    },
    /** A line that a program wrote. */
    take(message) {
      for (const follower of followers.get(message.target) ?? []) follower.line(message.message ?? '', message);
    },
    refused(words) {
      for (const present of followers.values()) for (const follower of present) if (!follower.begun) follower.refused(words);
    },
  };
}
