%% mod_privatecall_facts.erl: what mod_privatecall tells the component of the
%% server's knowledge: the sessions of a host as they come and go (the mirror),
%% and the answers to its questions (doc/protocol.md).

-module(mod_privatecall_facts).

-export([hooks/0, collect/1, replay/2, setup/1, answer/3, begin_answer/3,
         reported/3, end_answer/3]).
%% hooks
-export([self_presence/1, unset_presence/4, csi_activity/2, session_pending/1,
         session_resumed/1, copy_session/2, c2s_cast/2]).

-import(mod_privatecall, [proc/1, component/1, tell/3, message/3, error_of/2,
                          blocks/3, answer_on_stream/2]).
-import(mod_privatecall_xml, [el/3, el/4, attr/2]).

-define(NS_QUERY, <<"urn:privatecall:query:0">>).
-define(NS_CAPS, <<"http://jabber.org/protocol/caps">>).
-define(PER_MESSAGE, 100).      % sessions
-define(REPORT_MAX, 100).       % ms that an answer waits for connections

hooks() ->
    [{c2s_self_presence, self_presence, 90},
     {unset_presence_hook, unset_presence, 90},
     {csi_activity, csi_activity, 40},
     {c2s_session_pending, session_pending, 90},
     {c2s_session_resumed, session_resumed, 90},
     {c2s_copy_session, copy_session, 90},
     {c2s_handle_cast, c2s_cast, 10}].

%% How the server is set up, as far as it matters for calls and cannot be seen
%% from outside: attributes of hello.
setup(Host) ->
    [{<<"registration">>, atom_to_binary(registration(Host))},
     {<<"pres_counter">>,
      atom_to_binary(gen_mod:is_loaded(Host, mod_pres_counter))}
     | [{<<"user_rate">>, integer_to_binary(lists:min(Rates))}
        || Rates <- [user_rates(Host)], Rates /= []]].

%% Anybody may make himself an account, from anywhere.
registration(Host) ->
    gen_mod:is_loaded(Host, mod_register)
        andalso gen_mod:get_module_opt(Host, mod_register, ip_access) == all
        andalso acl:match_rule(Host,
                               gen_mod:get_module_opt(Host, mod_register,
                                                      access),
                               jid:make(<<"anybody">>, Host)) == allow.

%% Bytes a second that an ordinary user may send, by listener.
user_rates(Host) ->
    User = jid:make(<<"anybody">>, Host),
    Shapers = [ejabberd_shaper:match(Host, maps:get(shaper, Opts, none), User)
               || {_, ejabberd_c2s, Opts} <- ejabberd_option:listen()],
    [Rate || Shaper <- Shapers, Shaper /= infinity,
             Rate <- [ejabberd_shaper:get_max_rate(Shaper)],
             is_integer(Rate)].

%% Asks each connection that is there already to report its session.
collect(Host) ->
    lists:foreach(
      fun({U, S, R}) ->
              [ejabberd_c2s:cast(Pid, {privatecall_report, none})
               || {_, Pid} <- ejabberd_sm:get_session_sids(U, S, R)]
      end, ejabberd_sm:get_vh_session_list(Host)).

%%%===========================================================================
%%% The mirror
%%%===========================================================================

%% The state of a connection has all that is told of its session, and keeps two
%% things for us: `privatecall_csi', what the client said last, and
%% `privatecall_told', what calls depend on as it was last, and whether the
%% component knows the rest as it is.
self_presence({Presence, State}) ->
    case xmpp:get_type(Presence) of
        available ->
            {Presence, keep(State, update(State#{pres_last => Presence}))};
        _ -> {Presence, maps:remove(privatecall_told, State)}
    end.

csi_activity(State, Activity) ->
    aged(State#{privatecall_csi => Activity}).

session_pending(State) ->
    update(State).

session_resumed(State) ->
    keep(State, update(State#{mgmt_state => active})).

copy_session(State, #{privatecall_csi := Activity}) ->
    State#{privatecall_csi => Activity};
copy_session(State, _) ->
    State.

c2s_cast(State, {privatecall_report, For}) ->
    {stop, report(State, For)};
c2s_cast(State, {push_enable, _}) ->
    aged(State);
c2s_cast(State, push_disable) ->
    aged(State);
c2s_cast(State, _) ->
    State.

keep(State, #{privatecall_told := Told}) ->
    State#{privatecall_told => Told};
keep(State, _) ->
    State.

%% Presence changes often, and how it is now matters to few: the component asks
%% when it does. So it is told once that it does not know, and then nothing.
update(#{pres_last := _} = State) ->
    ForCalls = for_calls(State),
    case State of
        #{privatecall_told := {ForCalls, false}} -> State;
        #{privatecall_told := {ForCalls, true}} -> changed(ForCalls, State);
        _ -> tell_session(ForCalls, State)
    end;
update(State) ->
    State.

%% Whether a message to the bare JID reaches it, and what its client can do.
for_calls(#{pres_last := Presence} = State) ->
    {is_negative(element(9, Presence)), hibernates(State),
     [El || El <- xmpp:get_els(Presence), xmpp:get_ns(El) == ?NS_CAPS]}.

is_negative(Priority) ->
    is_integer(Priority) andalso Priority < 0.

hibernates(State) ->
    maps:get(mgmt_state, State, none) == pending.

%% A session is in the table of its host as {Key, its connection, Word, what
%% was told}. The word is `told'; `aged', if only that has changed since which
%% nobody is told of; or `changed', as the component knows.
tell_session(ForCalls, #{lserver := Host} = State) ->
    tell_later(Host, insert(State)),
    State#{privatecall_told => {ForCalls, true}}.

insert(#{jid := Jid, lserver := Host} = State) ->
    Session = describe(State),
    ets:insert(proc(Host), {key(Jid), self(), told, Session}),
    Session.

changed(ForCalls, #{jid := Jid, lserver := Host} = State) ->
    case mark(State, changed) of
        true ->
            tell_later(Host, word(<<"changed">>, jid:encode(Jid))),
            State#{privatecall_told => {ForCalls, false}};
        false -> tell_session(ForCalls, State)
    end.

%% CSI and push: nobody is told of them, and who asks is told how they are.
aged(#{privatecall_told := {_, true}} = State) ->
    mark(State, aged),
    State;
aged(State) ->
    State.

%% The row of another connection, which took the place of this one, is its own.
mark(#{jid := Jid, lserver := Host}, Word) ->
    is_mine(Host, key(Jid))
        andalso ets:update_element(proc(Host), key(Jid), {3, Word}).

is_mine(Host, Key) ->
    case ets:lookup(proc(Host), Key) of
        [{_, Pid, _, _}] -> Pid == self();
        [] -> false
    end.

%% For an answer to the component, or since the table is new.
report(#{pres_last := _} = State, none) ->
    tell_session(for_calls(State), State);
report(#{pres_last := _, jid := Jid, lserver := Host} = State, Answer) ->
    Mine = is_mine(Host, key(Jid)),
    _ = [insert(State) || Mine],
    gen_server:cast(proc(Host), {reported, Answer}),
    State#{privatecall_told => {for_calls(State), Mine}};
report(#{lserver := Host} = State, Answer) ->
    Answer == none orelse gen_server:cast(proc(Host), {reported, Answer}),
    State.

key(Jid) ->
    {User, _, Resource} = jid:tolower(Jid),
    {User, Resource}.

word(Name, Address) ->
    el(Name, ?NS_QUERY, [{<<"jid">>, Address}]).

%% It also comes from a connection that another took the place of.
unset_presence(User, Server, Resource, _Status) ->
    Jid = jid:make(User, Server, Resource),
    {U, Host, R} = jid:tolower(Jid),
    case ets:select_delete(proc(Host), [{{{U, R}, self(), '_', '_'}, [],
                                         [true]}]) of
        1 -> tell_later(Host, word(<<"gone">>, jid:encode(Jid)));
        0 -> ok
    end.

tell_later(Host, Child) ->
    component(Host) == none orelse
        gen_server:cast(proc(Host), {changed, Child}),
    ok.

%% The record of a presence has show at the seventh place and priority at the
%% ninth; to encode all of it would be most of the work. mod_push leaves
%% push_enabled as it is when push is disabled, and takes the other key away.
describe(#{jid := Jid, pres_last := Presence} = State) ->
    Els = xmpp:get_els(Presence),
    Caps = child(?NS_CAPS, Els),
    Idle = child(<<"urn:xmpp:idle:1">>, Els),
    Known = [{<<"priority">>, priority(element(9, Presence))},
             {<<"show">>, [Show || Show <- [element(7, Presence)],
                                   Show /= undefined]},
             {<<"idle">>, attr(<<"since">>, Idle)},
             {<<"csi">>, maps:get(privatecall_csi, State, [])},
             {<<"hibernating">>, [true || hibernates(State)]},
             {<<"push">>, [true || maps:is_key(push_session_id, State)]}
             | [{Name, attr(Name, Caps)}
                || Name <- [<<"node">>, <<"hash">>, <<"ver">>]]],
    el(<<"session">>, ?NS_QUERY, [{<<"jid">>, jid:encode(Jid)}
                                  | known(Known)]).

priority(Priority) when is_integer(Priority), Priority /= 0 ->
    integer_to_binary(Priority);
priority(_) ->
    [].

%% Of these namespaces there is one element each.
child(Ns, [El | Els]) ->
    case xmpp:get_ns(El) of
        Ns -> xmpp:encode(El);
        _ -> child(Ns, Els)
    end;
child(_, []) ->
    {xmlel, <<>>, [], []}.

%% Rows of sessions whose connection lives.
rows(Host, Pattern) ->
    [Row || {_, Pid, _, _} = Row
                <- ets:match_object(proc(Host), {Pattern, '_', '_', '_'}),
            node(Pid) /= node() orelse is_process_alive(Pid)].

sessions(Rows) ->
    [Session || {_, _, _, Session} <- Rows].

%% Asks the connections of sessions that are not as they were told any more to
%% report how they are. How many there are.
ask(Rows, For) ->
    length([ejabberd_c2s:cast(Pid, {privatecall_report, For})
            || {_, Pid, Word, _} <- Rows, Word /= told]).

%% All as they were told; then, who is not so any more.
replay(Host, Pid) ->
    Rows = rows(Host, {'_', '_'}),
    replay(Host, Pid, sessions(Rows)),
    tell_changes(Host, Pid, Rows).

replay(Host, Pid, Sessions) when length(Sessions) =< ?PER_MESSAGE ->
    tell_list(Host, Pid, [{<<"replay">>, <<"last">>}], Sessions);
replay(Host, Pid, Sessions) ->
    {Now, Later} = lists:split(?PER_MESSAGE, Sessions),
    tell_list(Host, Pid, [{<<"replay">>, <<"true">>}], Now),
    replay(Host, Pid, Later).

tell_changes(Host, Pid, Rows) ->
    tell_lists(Host, Pid, [word(<<"changed">>, attr(<<"jid">>, Session))
                           || {_, _, changed, Session} <- Rows]).

tell_lists(_Host, _Pid, []) ->
    ok;
tell_lists(Host, Pid, Children) ->
    {Now, Later} = lists:split(min(?PER_MESSAGE, length(Children)), Children),
    tell_list(Host, Pid, [], Now),
    tell_lists(Host, Pid, Later).

tell_list(Host, Pid, Attrs, Children) ->
    tell(Host, Pid, el(<<"sessions">>, ?NS_QUERY, Attrs, Children)).

%%%===========================================================================
%%% Facts
%%%===========================================================================

%% The process of the host answers, as it also tells of changes: so what is told
%% after an answer is newer.
answer(Host, IQ, {xmlel, Name, _, _} = El) ->
    Users = [user(attr(Attr, El)) || Attr <- asked_of(Name)],
    case {lists:member(error, Users), lists:last(Users)} of
        {true, _} -> error_of(IQ, xmpp:err_jid_malformed());
        {_, {_, Server, _}} when Server /= Host ->
            error_of(IQ, xmpp:err_item_not_found());
        {_, {User, _, _}} ->
            Answer = {IQ, Name, about(Host, Users), {User, '_'}},
            gen_server:cast(proc(Host), {answer, Answer}),
            ignore
    end.

asked_of(<<"facts">>) -> [<<"from">>, <<"to">>];
asked_of(<<"sessions">>) -> [<<"jid">>].

about(_Host, [User]) ->
    [{<<"jid">>, jid:encode(User)}];
about(Host, [From, To]) ->
    facts(Host, From, To).

%% Answers that wait for reports, by a reference: of how many, and what for.
begin_answer(Host, {_, _, _, Pattern} = Answer, Waiting) ->
    Ref = make_ref(),
    case ask(rows(Host, Pattern), Ref) of
        0 -> give(Host, Answer), Waiting;
        Left ->
            erlang:send_after(?REPORT_MAX, self(), {unreported, Ref}),
            Waiting#{Ref => {Left, Answer}}
    end.

reported(Host, Ref, Waiting) ->
    case Waiting of
        #{Ref := {1, _}} -> end_answer(Host, Ref, Waiting);
        #{Ref := {Left, Answer}} -> Waiting#{Ref := {Left - 1, Answer}};
        _ -> Waiting
    end.

%% All have reported, or some have not in time.
end_answer(Host, Ref, Waiting) ->
    case maps:take(Ref, Waiting) of
        {{_, Answer}, Others} -> give(Host, Answer), Others;
        error -> Waiting
    end.

%% Who has changed since, or has not reported, is said to have changed.
give(Host, {IQ, Name, Attrs, Pattern}) ->
    Rows = rows(Host, Pattern),
    El = el(Name, ?NS_QUERY, Attrs, sessions(Rows)),
    ignore = answer_on_stream(IQ, xmpp:make_iq_result(IQ, El)),
    case component(Host) of
        none -> ok;
        Pid -> tell_changes(Host, Pid, Rows)
    end.

%% A bare address with a node.
user(Text) ->
    try jid:tolower(jid:decode(Text)) of
        {U, _, <<>>} = Bare when U /= <<>> -> Bare;
        _ -> error
    catch
        error:{bad_jid, _} -> error
    end.

facts(Host, {_, FromHost, _} = From, {User, _, _} = To) ->
    Exists = ejabberd_auth:user_exists(User, Host),
    Mine = lists:member(FromHost, ejabberd_option:hosts()),
    Message = xmpp:set_from_to(message(Host, Host, []), jid:make(From),
                               jid:make(To)),
    Known = [{<<"exists">>, Exists},
             {<<"push">>, [push(To) || Exists]},
             {<<"subscription">>, [subscription(To, From) || Exists]},
             {<<"reverse">>, [subscription(From, To) || Mine]},
             {<<"blocks">>, [blocks(Host, Message, in) || Exists]},
             {<<"blocked">>, [blocks(FromHost, Message, out) || Mine]}],
    [{<<"from">>, jid:encode(From)}, {<<"to">>, jid:encode(To)}
     | known(Known)].

push({U, S, _}) ->
    case gen_mod:is_loaded(S, mod_push) andalso
        (gen_mod:db_mod(S, mod_push)):lookup_sessions(U, S) of
        {ok, Sessions} -> Sessions /= [];
        _ -> []
    end.

%% `none' is said of an item without a subscription, and of no item too.
subscription({U, S, _}, Contact) ->
    case ejabberd_hooks:run_fold(roster_get_jid_info, S, {none, none, []},
                                 [U, S, jid:make(Contact)]) of
        {none, _, _} ->
            Items = ejabberd_hooks:run_fold(roster_get, S, [], [{U, S}]),
            Listed = [I || I <- Items, jid:tolower(element(2, I)) == Contact],
            [none || Listed /= []];
        {Subscription, _, _} -> Subscription
    end.

%% Attributes without those that are not known.
known(Attrs) ->
    [{Name, Text} || {Name, Value} <- Attrs, Text <- [plain(Value)],
                     Text /= <<>>].

plain([]) -> <<>>;
plain([Value]) -> plain(Value);
plain(Value) when is_atom(Value) -> atom_to_binary(Value);
plain(Value) -> Value.
