// What arrives in records after the handshake: bytes of the program, alerts, new keys, and tickets, which are not used. Each
// record is decrypted into the target, or into `held` where that has too little room; until its tag is known to be right, no
// byte of it counts.

#ifndef COTERIE_INCOMING_RECORDS_H
#define COTERIE_INCOMING_RECORDS_H

#include "record-layer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  /** As many as OpenSSL takes without a byte for the program. */
  idle_records_max = 32,
  /** The longest ticket that OpenSSL takes. */
  ticket_bytes_max = 131338,
};

static const Problem unexpected = {reason_unexpected_message, alert_unexpected_message};
static const Problem internal = {reason_internal_error, alert_internal_error};

static int count_idle(Session *session) {
  return ++session->idle_records > idle_records_max ? refuse(session, unexpected) : state_done;
}

static bool make_held(Session *session) {
  if (session->held == NULL) session->held = malloc(record_bytes_max);
  return session->held != NULL;
}

static void free_held(Session *session) {
  free(session->held);
  session->held = NULL;
  session->held_length = session->opened_from = session->opened_to = 0;
}

/** Whether `held` has so many bytes now. */
static bool hold(Session *session, size_t wanted) {
  const size_t missing = wanted > session->held_length ? wanted - session->held_length : 0;
  const size_t count = missing < session->input_length ? missing : session->input_length;
  memcpy(session->held + session->held_length, session->input, count);
  session->held_length += count;
  session->input += count;
  session->input_length -= count;
  return count == missing;
}

/** Finds the next record: in the input, where it lies there as a whole, else in `held`, as soon as all of it came. */
static int next_record(Session *session, const uint8_t **record) {
  const bool is_begun = session->held_length > 0;
  if (session->input_length == 0) return state_waits;
  if (is_begun || session->input_length < head_bytes) {
    if (!make_held(session)) return refuse(session, internal);
    if (!hold(session, head_bytes)) return state_waits;
  }
  *record = session->held_length > 0 ? session->held : session->input;
  const Problem problem = problem_with(*record);
  if (problem.reason != 0) return refuse(session, problem);
  const size_t length = head_bytes + length_of(*record);
  if (session->held_length == 0 && session->input_length >= length) {
    session->input += length;
    session->input_length -= length;
    return state_done;
  }
  if (!make_held(session)) return refuse(session, internal);
  if (!hold(session, length)) return state_waits;
  *record = session->held;
  session->held_length = 0;
  return state_done;
}

static int take_alert(Session *session, const uint8_t *content, size_t length) {
  if (length != 2) return refuse(session, (Problem){reason_invalid_alert, alert_unexpected_message});
  // The level before it means nothing any more. It only announces that the other end closes (RFC 8446, 6.1).
  if (content[1] == alert_user_canceled) return state_done;
  if (content[1] != alert_close_notify) return break_off(session, reason_of_alerts + content[1]);
  session->is_ended = true;
  return state_ended;
}

/** Whether a message may come that begins like this. */
static Problem problem_with_message(const Session *session) {
  const Message *message = &session->message;
  if (message->head[0] == message_key_update)
    return message->rest == 1 ? (Problem){0, 0} : (Problem){reason_bad_key_update, alert_decode_error};
  if (message->head[0] != message_ticket || session->is_called) return unexpected;
  return message->rest <= ticket_bytes_max ? (Problem){0, 0}
                                           : (Problem){reason_excessive_message_size, alert_illegal_parameter};
}

static int take_key_update(Session *session) {
  if (session->message.last_byte > 1)
    return refuse(session, (Problem){reason_bad_key_update, alert_illegal_parameter});
  // Answered before the next bytes that are sent, see `seal_records`; whoever asks again until then gets one answer.
  if (session->message.last_byte == 1) session->owes_keys = true;
  return next_keys(session->suite, &session->receiving, false) ? state_done : refuse(session, internal);
}

/** Messages, or parts of them. */
static int take_messages(Session *session, const uint8_t *content, size_t length) {
  Message *message = &session->message;
  if (length == 0) return refuse(session, unexpected);
  for (const uint8_t *at = content, *end = content + length; at < end;) {
    if (message->head_length < sizeof message->head) {
      message->head[message->head_length++] = *at++;
      if (message->head_length < sizeof message->head) continue;
      message->rest = (size_t)message->head[1] << 16 | (size_t)message->head[2] << 8 | message->head[3];
      const Problem problem = problem_with_message(session);
      if (problem.reason != 0) return refuse(session, problem);
    }
    const size_t count = (size_t)(end - at) < message->rest ? (size_t)(end - at) : message->rest;
    if (count > 0) message->last_byte = at[count - 1];
    at += count;
    message->rest -= count;
    if (message->rest > 0) break;
    message->head_length = 0;
    if (message->head[0] != message_key_update) continue;
    // What comes behind it has other keys.
    if (at < end) return refuse(session, (Problem){reason_not_on_record_boundary, alert_unexpected_message});
    return take_key_update(session);
  }
  return state_done;
}

/** What is not for the program. */
static int take_other(Session *session, uint8_t type, const uint8_t *content, size_t length) {
  const int counted = count_idle(session);
  if (counted != state_done) return counted;
  if (type == type_handshake) return take_messages(session, content, length);
  if (type == type_alert && session->message.head_length == 0) return take_alert(session, content, length);
  return refuse(session, unexpected);
}

static int take_record(Session *session, const uint8_t *record, uint8_t *target, size_t room, size_t *filled) {
  const size_t wanted = room_for(record);
  const bool is_direct = wanted <= room - *filled;
  size_t length;
  uint8_t type;
  if (!is_direct && !make_held(session)) return refuse(session, internal);
  uint8_t *to = is_direct ? target + *filled : session->held + head_bytes;
  if (!open_record(&session->receiving, record, to, &length, &type))
    return refuse(session, (Problem){reason_bad_record_mac, alert_bad_record_mac});
  // Between the parts of a message there may be nothing else.
  if (type != type_application || session->message.head_length > 0) {
    const int state = take_other(session, type, to, length);
    OPENSSL_cleanse(to, wanted);
    return state;
  }
  if (length == 0) return count_idle(session);
  session->idle_records = 0;
  if (is_direct) {
    *filled += length;
  } else {
    session->opened_from = head_bytes;
    session->opened_to = head_bytes + length;
  }
  return state_done;
}

/** Decrypts into `target`, until it is full or the input is used up. */
static int open_records(Session *session, uint8_t *target, size_t room, size_t *filled) {
  int state = state_done;
  while (*filled < room && state == state_done) {
    const size_t waiting = session->opened_to - session->opened_from;
    if (waiting > 0) {
      const size_t count = waiting < room - *filled ? waiting : room - *filled;
      memcpy(target + *filled, session->held + session->opened_from, count);
      session->opened_from += count;
      *filled += count;
      continue;
    }
    if (session->is_ended) return state_ended;
    const uint8_t *record = NULL;
    state = next_record(session, &record);
    if (state == state_done) state = take_record(session, record, target, room, filled);
  }
  // It would be 16 KiB for each connection where nothing happens.
  if (session->held_length == 0 && session->opened_from == session->opened_to) free_held(session);
  return state;
}

#endif
