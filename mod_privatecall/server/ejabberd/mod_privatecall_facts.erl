%% mod_privatecall_facts.erl: what mod_privatecall tells the component of the
%% server's knowledge: the sessions of a host as they come and go (the mirror),
%% and the answers to its questions (doc/protocol.md).

-module(mod_privatecall_facts).

-export([hooks/0, collect/1, replay/2, answer/3, with_sessions/4, setup/1]).
%% hooks
-export([self_presence/1, unset_presence/4, csi_activity/2, session_pending/1,
         session_resumed/1, copy_session/2, c2s_cast/2]).

-import(mod_privatecall, [proc/1, component/1, tell/3, message/3, error_of/2,
                          blocks/3]).
-import(mod_privatecall_xml, [el/3, el/4, attr/2]).

-define(NS_QUERY, <<"urn:privatecall:query:0">>).
-define(NS_CAPS, <<"http://jabber.org/protocol/caps">>).
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

%% The state of a connection has all that is told of its session, and keeps two
%% things for us: `privatecall_csi', what the client said last, and
%% `privatecall_calls', what calls depend on, as it was last.
self_presence({Presence, State}) ->
    case xmpp:get_type(Presence) of
        available ->
            #{privatecall_calls := ForCalls} =
                update(State#{pres_last => Presence}),
            {Presence, State#{privatecall_calls => ForCalls}};
        _ -> {Presence, State}
    end.

csi_activity(State, Activity) ->
    update(State#{privatecall_csi => Activity}).

session_pending(State) ->
    update(State).

session_resumed(State) ->
    _ = update(State#{mgmt_state => active}),
    State.

copy_session(State, #{privatecall_csi := Activity}) ->
    State#{privatecall_csi => Activity};
copy_session(State, _) ->
    State.

c2s_cast(State, privatecall_report) ->
    {stop, update(State)};
c2s_cast(State, {push_enable, _}) ->
    _ = update(State#{push_enabled => true}),
    State;
c2s_cast(State, push_disable) ->
    _ = update(State#{push_enabled => false}),
    State;
c2s_cast(State, _) ->
    State.

%% A session is in the table of its host, as {Key, its connection, whether the
%% component knows how it is, Shown}.
update(#{pres_last := Presence, jid := Jid, lserver := Host} = State) ->
    {User, _, Resource} = jid:tolower(Jid),
    Key = {User, Resource},
    Shown = {Jid, Presence, maps:get(privatecall_csi, State, []),
             maps:get(mgmt_state, State, none) == pending,
             maps:get(push_enabled, State, false)},
    ForCalls = for_calls(Shown),
    Table = proc(Host),
    case is_mine(Table, Key)
        andalso maps:get(privatecall_calls, State, none) == ForCalls of
        true -> changed(Host, Table, Key, Shown);
        false ->
            ets:insert(Table, {Key, self(), true, Shown}),
            tell_later(Host, describe(Shown))
    end,
    State#{privatecall_calls => ForCalls};
update(State) ->
    State.

is_mine(Table, Key) ->
    try ets:lookup_element(Table, Key, 2) == self()
    catch error:badarg -> false
    end.

%% Whether a message to the bare JID reaches it, and what its client can do.
for_calls({_, Presence, _, Hibernates, _}) ->
    {is_negative(element(9, Presence)), Hibernates,
     [El || El <- xmpp:get_els(Presence), xmpp:get_ns(El) == ?NS_CAPS]}.

is_negative(Priority) ->
    is_integer(Priority) andalso Priority < 0.

%% Presence changes often, and how it is now matters to few: the component asks
%% when it does. So it is told once that it does not know, and then nothing.
%% Who reads what is shown says before that it is told: no change is missed.
changed(Host, Table, Key, Shown) ->
    ets:update_element(Table, Key, {4, Shown}),
    ets:lookup_element(Table, Key, 3) andalso
        begin
            ets:update_element(Table, Key, {3, false}),
            tell_later(Host, word(<<"changed">>, element(1, Shown)))
        end,
    ok.

word(Name, Jid) ->
    el(Name, ?NS_QUERY, [{<<"jid">>, jid:encode(Jid)}]).

%% It also comes from a connection that another took the place of.
unset_presence(User, Server, Resource, _Status) ->
    Jid = jid:make(User, Server, Resource),
    {U, Host, R} = jid:tolower(Jid),
    is_mine(proc(Host), {U, R}) andalso
        begin
            ets:delete(proc(Host), {U, R}),
            tell_later(Host, word(<<"gone">>, Jid))
        end,
    ok.

tell_later(Host, Child) ->
    component(Host) == none orelse
        gen_server:cast(proc(Host), {changed, Child}),
    ok.

%% The record of a presence has show at the seventh place and priority at the
%% ninth; to encode all of it would be most of the work.
describe({Jid, Presence, Csi, Hibernates, Push}) ->
    Els = xmpp:get_els(Presence),
    Caps = child(?NS_CAPS, Els),
    Idle = child(<<"urn:xmpp:idle:1">>, Els),
    Known = [{<<"priority">>, priority(element(9, Presence))},
             {<<"show">>, [Show || Show <- [element(7, Presence)],
                                   Show /= undefined]},
             {<<"idle">>, attr(<<"since">>, Idle)},
             {<<"csi">>, Csi},
             {<<"hibernating">>, [true || Hibernates]},
             {<<"push">>, [true || Push]}
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

sessions(Attrs, Children) ->
    el(<<"sessions">>, ?NS_QUERY, Attrs, Children).

%% Of sessions whose connection lives; they count as told from then on.
listed(Host, Pattern) ->
    Table = proc(Host),
    Keys = ets:select(Table, [{{Pattern, '_', '_', '_'}, [],
                               [{element, 1, '$_'}]}]),
    [describe(Shown)
     || Key <- Keys, ets:update_element(Table, Key, {3, true}),
        {_, Pid, _, Shown} <- ets:lookup(Table, Key),
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

%% Whoever reads sessions for the component is the process that also tells of
%% them, so that what is told after is newer.
answer(Host, IQ, {xmlel, Name, _, _} = El) ->
    Users = [user(attr(Attr, El)) || Attr <- asked_of(Name)],
    case {lists:member(error, Users), lists:last(Users)} of
        {true, _} -> error_of(IQ, xmpp:err_jid_malformed());
        {_, {_, Server, _}} when Server /= Host ->
            error_of(IQ, xmpp:err_item_not_found());
        {_, {User, _, _}} ->
            gen_server:cast(proc(Host),
                            {answer, IQ, Name, about(Host, Users), User}),
            ignore
    end.

asked_of(<<"facts">>) -> [<<"from">>, <<"to">>];
asked_of(<<"sessions">>) -> [<<"jid">>].

about(_Host, [User]) ->
    [{<<"jid">>, jid:encode(User)}];
about(Host, [From, To]) ->
    facts(Host, From, To).

%% All available sessions of a user, in an element that says more.
with_sessions(Host, Name, Attrs, User) ->
    el(Name, ?NS_QUERY, Attrs, listed(Host, {User, '_'})).

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
