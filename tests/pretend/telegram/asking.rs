//! The methods that only ask, or set what no message shows: who am I, who is here, which commands.

use serde_json::{Value, json};

use super::chat::{Kind, State, Status};
use super::limits::{Refusal, Reply};
use super::request::Params;
use super::sending::chat_id;
use super::shape;

pub fn get_me(state: &State) -> Reply {
    let mut me = shape::user(&state.bot);
    for (name, value) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        me[name] = json!(value);
    }
    Ok(me)
}

pub fn get_chat(state: &mut State, params: &Params) -> Reply {
    let chat = state.open_chat(chat_id(params)?)?.clone();
    let mut shape = shape::chat(state, &chat);
    shape["accent_color_id"] = json!(3);
    shape["max_reaction_count"] = json!(11);
    shape["accepted_gift_types"] = json!({
        "unlimited_gifts": false,
        "limited_gifts": false,
        "unique_gifts": false,
        "premium_subscription": false,
    });
    if chat.hides_members {
        shape["has_hidden_members"] = json!(true);
    }
    if matches!(chat.kind, Kind::Group | Kind::Supergroup) {
        let may = [
            "messages",
            "audios",
            "documents",
            "photos",
            "videos",
            "video_notes",
            "voice_notes",
            "polls",
        ];
        let mut permissions = json!({});
        for what in may.into_iter().chain(["other_messages"]) {
            permissions[format!("can_send_{what}")] = json!(true);
        }
        for what in ["add_web_page_previews", "invite_users"] {
            permissions[format!("can_{what}")] = json!(true);
        }
        for what in ["change_info", "pin_messages", "manage_topics"] {
            permissions[format!("can_{what}")] = json!(false);
        }
        shape["permissions"] = permissions;
    }
    Ok(shape)
}

pub fn get_chat_member(state: &mut State, params: &Params) -> Reply {
    let person = params.integer("user_id").unwrap_or(0);
    let chat = state.open_chat(chat_id(params)?)?.clone();
    if person == state.bot.id {
        return Ok(shape::member(state, &chat, person, chat.bot));
    }
    if (chat.kind == Kind::Channel || chat.hides_members) && !chat.bot.is_admin() {
        return Err(Refusal::bad("member list is inaccessible"));
    }
    if !state.people.contains_key(&person) {
        return Err(Refusal::bad("user not found"));
    }
    Ok(shape::member(state, &chat, person, chat.status_of(person)))
}

pub fn get_chat_administrators(state: &mut State, params: &Params) -> Reply {
    let chat = state.open_chat(chat_id(params)?)?.clone();
    if chat.kind == Kind::Private {
        return Err(Refusal::bad(
            "there are no administrators in the private chat",
        ));
    }
    let mut standing: Vec<(i64, Status)> = chat
        .members
        .iter()
        .map(|(id, status)| (*id, *status))
        .collect();
    standing.push((state.bot.id, chat.bot));
    let admins = standing.into_iter().filter(|(_, status)| status.is_admin());
    Ok(admins
        .map(|(id, status)| shape::member(state, &chat, id, status))
        .collect())
}

pub fn get_chat_member_count(state: &mut State, params: &Params) -> Reply {
    let chat = state.open_chat(chat_id(params)?)?;
    let there = chat.members.values().filter(|status| !status.is_gone());
    Ok(json!(there.count() + 1))
}

pub fn set_my_commands(state: &mut State, params: &Params) -> Reply {
    let commands = params.json("commands").unwrap_or_default();
    let list = commands.as_array().map(Vec::as_slice).unwrap_or_default();
    let word = |command: &Value, name: &str| command[name].as_str().unwrap_or_default().to_owned();
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    for command in list {
        let name = word(command, "command");
        let name = name.strip_prefix('/').unwrap_or(&name);
        if !(1..=32).contains(&name.len()) || !name.chars().all(is_known) {
            return Err(Refusal::bad("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&word(command, "description").chars().count()) {
            return Err(Refusal::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    if list.len() > 100 {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let (scope, language) = scope(params);
    state
        .commands
        .retain(|set| (&set.0, &set.1) != (&scope, &language));
    state.commands.push((scope, language, json!(list)));
    Ok(json!(true))
}

pub fn delete_my_commands(state: &mut State, params: &Params) -> Reply {
    let (scope, language) = scope(params);
    state
        .commands
        .retain(|set| (&set.0, &set.1) != (&scope, &language));
    Ok(json!(true))
}

pub fn get_my_commands(state: &mut State, params: &Params) -> Reply {
    let (scope, language) = scope(params);
    let found = state
        .commands
        .iter()
        .find(|set| (&set.0, &set.1) == (&scope, &language));
    Ok(found.map_or_else(|| json!([]), |set| set.2.clone()))
}

fn scope(params: &Params) -> (Value, String) {
    let scope = params
        .json("scope")
        .unwrap_or_else(|| json!({ "type": "default" }));
    (scope, params.text("language_code").unwrap_or_default())
}
