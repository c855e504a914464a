%% mod_privatecall_facts.erl: what mod_privatecall tells the component of the
%% server's knowledge: the sessions of a host as they change (the mirror), and
%% the answer to one question about two users (doc/protocol.md).

-module(mod_privatecall_facts).

-export([hooks/0, collect/1, replay/2, tell_waiting/1, answer/3, setup/1]).
%% hooks
-export([self_presence/1, unset_presence/4, csi_activity/2, session_pending/1,
         session_resumed/1, copy_session/2, c2s_cast/2]).

-import(mod_privatecall, [proc/1, component/1, tell/3, message/3, error_of/2,
                          blocks/3]).
-import(mod_privatecall_xml, [el/3, el/4, attr/2]).

-define(NS_QUERY, <<"urn:privatecall:query:0">>).
-define(PER_MESSAGE, 100).      % sessions

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
              [ejabberd_c2s:cast(Pid, privatecall_report)
               || {_, Pid} <- ejabberd_sm:get_session_sids(U, S, R)]
      end, ejabberd_sm:get_vh_session_list(Host)).

%%%===========================================================================
%%% The mirror
%%%===========================================================================

%% The state of a connection has all that is told of its session; `csi' is what
%% the client said last, kept there under our own name.
self_presence({Presence, State}) ->
    case xmpp:get_type(Presence) of
        available -> update(State#{pres_last => Presence});
        _ -> ok
    end,
    {Presence, State}.

csi_activity(State, Activity) ->
    update(State#{privatecall_csi => Activity}).

session_pending(State) ->
    update(State).

session_resumed(State) ->
    update(State#{mgmt_state => active}),
    State.

copy_session(State, #{privatecall_csi := Activity}) ->
    State#{privatecall_csi => Activity};
copy_session(State, _) ->
    State.

c2s_cast(State, privatecall_report) ->
    {stop, update(State)};
c2s_cast(State, {push_enable, _}) ->
    update(State#{push_enabled => true}),
    State;
c2s_cast(State, push_disable) ->
    update(State#{push_enabled => false}),
    State;
c2s_cast(State, _) ->
    State.

update(#{pres_last := Presence, jid := Jid, lserver := Host} = State) ->
    {User, _, Resource} = jid:tolower(Jid),
    Key = {User, Resource},
    Attrs = describe(Jid, Presence, State),
    Table = proc(Host),
    Before = [Old || {_, Pid, Old} <- ets:lookup(Table, Key), Pid == self()],
    Before == [Attrs] orelse ets:insert(Table, {Key, self(), Attrs}),
    case Before of
        [Attrs] -> ok;
        [Old] ->
            case for_calls(Old) == for_calls(Attrs) of
                true -> changed_later(Host, Table, Key);
                false -> changed(Host, el(<<"session">>, ?NS_QUERY, Attrs))
            end;
        [] -> changed(Host, el(<<"session">>, ?NS_QUERY, Attrs))
    end,
    State;
update(State) ->
    State.

%% Whether a message to the bare JID reaches it, which calls depend on.
for_calls(Attrs) ->
    {case proplists:get_value(<<"priority">>, Attrs) of
         <<$-, _/binary>> -> negative;
         _ -> positive
     end, proplists:get_value(<<"hibernating">>, Attrs)}.

%% It also comes from a connection that another took the place of.
unset_presence(User, Server, Resource, _Status) ->
    Jid = jid:make(User, Server, Resource),
    {U, Host, R} = jid:tolower(Jid),
    case ets:lookup(proc(Host), {U, R}) of
        [{Key, Pid, _}] when Pid == self() ->
            ets:delete(proc(Host), Key),
            changed(Host, el(<<"gone">>, ?NS_QUERY,
                             [{<<"jid">>, jid:encode(Jid)}]));
        _ -> ok
    end.

changed(Host, Child) ->
    component(Host) == none orelse
        gen_server:cast(proc(Host), {changed, Child}),
    ok.

%% Told together with others'. Nobody is woken for it but by the first.
changed_later(Host, Table, {User, Resource}) ->
    ets:member(Table, component) andalso
        begin
            ets:insert(Table, {{waits, User, Resource}}),
            ets:insert_new(Table, {gathering}) andalso
                gen_server:cast(proc(Host), gather)
        end,
    ok.

%% How they are by now. Who comes while we look asks for the next time.
tell_waiting(Host) ->
    Table = proc(Host),
    ets:delete(Table, gathering),
    Keys = [Key || {Key} <- ets:match_object(Table, {{waits, '_', '_'}})],
    Now = [el(<<"session">>, ?NS_QUERY, Attrs)
           || {waits, User, Resource} = Key <- Keys, ets:delete(Table, Key),
              {_, _, Attrs} <- ets:lookup(Table, {User, Resource})],
    case component(Host) of
        none -> ok;
        Pid -> tell_sessions(Host, Pid, Now)
    end.

tell_sessions(_Host, _Pid, []) ->
    ok;
tell_sessions(Host, Pid, Children) ->
    {Now, Later} = lists:split(min(?PER_MESSAGE, length(Children)), Children),
    tell(Host, Pid, sessions([], Now)),
    tell_sessions(Host, Pid, Later).

%% The record of a presence has show at the seventh place and priority at the
%% ninth; to encode all of it would be most of the work.
describe(Jid, Presence, State) ->
    Els = xmpp:get_els(Presence),
    Caps = child(<<"http://jabber.org/protocol/caps">>, Els),
    Idle = child(<<"urn:xmpp:idle:1">>, Els),
    Known = [{<<"priority">>, priority(element(9, Presence))},
             {<<"show">>, [Show || Show <- [element(7, Presence)],
                                   Show /= undefined]},
             {<<"idle">>, attr(<<"since">>, Idle)},
             {<<"csi">>, maps:get(privatecall_csi, State, [])},
             {<<"hibernating">>,
              [true || maps:get(mgmt_state, State, none) == pending]},
             {<<"push">>, [true || maps:get(push_enabled, State, false)]}
             | [{Name, attr(Name, Caps)}
                || Name <- [<<"node">>, <<"hash">>, <<"ver">>]]],
    [{<<"jid">>, jid:encode(Jid)} | known(Known)].

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

sessions(Attrs, Children) ->
    el(<<"sessions">>, ?NS_QUERY, Attrs, Children).

%% Of sessions whose connection lives.
listed(Host, Pattern) ->
    [el(<<"session">>, ?NS_QUERY, Attrs)
     || {_, Pid, Attrs} <- ets:match_object(proc(Host), {Pattern, '_', '_'}),
        node(Pid) /= node() orelse is_process_alive(Pid)].

replay(Host, Pid) ->
    replay(Host, Pid, listed(Host, {'_', '_'})).

replay(Host, Pid, Children) when length(Children) =< ?PER_MESSAGE ->
    tell(Host, Pid, sessions([{<<"replay">>, <<"last">>}], Children));
replay(Host, Pid, Children) ->
    {Now, Later} = lists:split(?PER_MESSAGE, Children),
    tell(Host, Pid, sessions([{<<"replay">>, <<"true">>}], Now)),
    replay(Host, Pid, Later).

%%%===========================================================================
%%% Facts
%%%===========================================================================

answer(Host, IQ, El) ->
    case {user(attr(<<"from">>, El)), user(attr(<<"to">>, El))} of
        {From, To} when From == error; To == error ->
            error_of(IQ, xmpp:err_jid_malformed());
        {_, {_, Server, _}} when Server /= Host ->
            error_of(IQ, xmpp:err_item_not_found());
        {From, To} ->
            xmpp:make_iq_result(IQ, facts_of(Host, From, To))
    end.

%% A bare address with a node.
user(Text) ->
    try jid:tolower(jid:decode(Text)) of
        {U, _, <<>>} = Bare when U /= <<>> -> Bare;
        _ -> error
    catch
        error:{bad_jid, _} -> error
    end.

facts_of(Host, {_, FromHost, _} = From, {User, _, _} = To) ->
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
    el(<<"facts">>, ?NS_QUERY,
       [{<<"from">>, jid:encode(From)}, {<<"to">>, jid:encode(To)}
        | known(Known)],
       listed(Host, {User, '_'})).

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
