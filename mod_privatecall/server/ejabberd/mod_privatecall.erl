%% mod_privatecall.erl: private calls between the users of this server are
%% decided by an external component (privatecalld): this module hands it their
%% call stanzas, and injects those that it sends in return.
%%
%% doc/protocol.md is the contract; the words of that page are used here. The
%% module knows no rules of calls but two: the switch, and what holds while the
%% component is down. It needs no header files, so plain erlc compiles it; with
%% mod_privatecall_relay.erl, which checks what the component sends, and
%% mod_privatecall_facts.erl, which tells it what the server knows.
%%
%% Where things run: hooks and iq handlers in the process of the connection that
%% a stanza came in on, so that what one sends keeps its order. What must
%% outlast a restart is in Mnesia. The process of each host owns the list of its
%% sessions, tells the component of changes in it, and drops what has expired.

-module(mod_privatecall).
-behaviour(gen_mod).
-behaviour(gen_server).

%% gen_mod
-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1,
         mod_doc/0]).
%% gen_server
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2,
         code_change/3]).
%% hooks and iq handlers
-export([filter_packet/1, component_send/1, decode_iq_subel/1,
         process_relay/1, process_query/1]).
%% of use to mod_privatecall_facts, _alive and _relay
-export([opt/2, proc/1, component/1, is_component/2, send/2, tell/3, message/3,
         hello/1, kind_of/2, blocks/3, lost/2, inject/1, answer_on_stream/2,
         error_of/2, forbid/4]).

-define(VERSION, 1).            % of doc/protocol.md
-define(RELEASE, <<"0.1.0">>).
-define(SWEEP, 60000).          % ms
-define(SETUP_MAX, 120000).     % ms from a propose to its session-initiate
-define(CLOSE_MAX, 1000).       % ms that a connection may take to its end
-define(LOST_LIFE, 30000).      % ms that what was lost is worth a care

-define(NS_OWN, "urn:privatecall:").
-define(NS_RELAY, <<"urn:privatecall:relay:0">>).
-define(NS_QUERY, <<"urn:privatecall:query:0">>).
-define(NS_CLIENT, <<"jabber:client">>).
-define(NS_JINGLE, <<"urn:xmpp:jingle:1">>).
-define(NS_JMI, <<"urn:xmpp:jingle-message:0">>).
-define(NS_HINTS, <<"urn:xmpp:hints">>).
-define(NS_RECEIPTS, <<"urn:xmpp:receipts">>).

-import(mod_privatecall_store, [pair/2, bare/1, pair_known/2, renew/1,
                                id_kind/2, id_known/3, remember_id/3,
                                forsake_id/2, let_alone/2, alone_for/2,
                                expect/2, expected/1, take/1,
                                sweep/1, expect_word/2, wordless/2]).
-import(mod_privatecall_alive, [alive/2]).
-import(mod_privatecall_xml, [el/3, el/4, attr/2, fits/2, has_rtp/1, jmi_of/1,
                              jingle_of/1, has_invite/1]).

-type ljid() :: mod_privatecall_store:ljid().
%% A stanza of a user, as far as it matters here.
-type call() :: #{kind := jmi | jingle | answer | invite, name => binary(),
                  id => binary(), start => boolean(), value => call | own}.

%%%===========================================================================
%%% Options and life
%%%===========================================================================

start(Host, Opts) ->
    mod_privatecall_store:create(),
    gen_mod:start_child(?MODULE, Host, Opts).

stop(Host) -> gen_mod:stop_child(?MODULE, Host).

reload(Host, New, Old) ->
    Same = gen_mod:get_opt(component, New) == gen_mod:get_opt(component, Old),
    gen_server:cast(proc(Host), {reload, Same}).

depends(_Host, _Opts) -> [].

mod_options(Host) ->
    [{component, <<"calls.", Host/binary>>},
     {private_calls, true},
     {when_down, refuse},
     {remote_users, false},
     {pair_lifetime, 7200}].

mod_opt_type(component) -> econf:domain();
mod_opt_type(private_calls) -> econf:bool();
mod_opt_type(when_down) -> econf:enum([refuse, native]);
mod_opt_type(remote_users) -> econf:bool();
mod_opt_type(pair_lifetime) -> econf:non_neg_int().

mod_doc() ->
    #{desc =>
          <<"Lets the external component 'privatecalld' decide who may call "
            "whom: call stanzas of the users of this host go to it, and those "
            "that it sends are delivered, for pairs who have a call.">>,
      opts =>
          [{component,
            #{value => <<"Domain">>,
              desc => <<"The component's domain, as in its listener. "
                        "The default is 'calls.' and this host.">>}},
           {private_calls,
            #{value => <<"true | false">>,
              desc => <<"Whether users may call at all. The default is "
                        "'true'; 'false' holds while the component is down "
                        "too.">>}},
           {when_down,
            #{value => <<"refuse | native">>,
              desc => <<"What happens to a call while the component is down: "
                        "it is refused (default), or delivered by this server "
                        "without any rule.">>}},
           {remote_users,
            #{value => <<"true | false">>,
              desc => <<"Whether calls with users of other servers go to the "
                        "component too. The default is 'false'.">>}},
           {pair_lifetime,
            #{value => <<"Seconds">>,
              desc => <<"How long after the last stanza of a call the "
                        "component may speak for the two. The default is "
                        "7200.">>}}]}.

opt(Host, Name) -> gen_mod:get_module_opt(Host, ?MODULE, Name).

proc(Host) -> gen_mod:get_module_proc(Host, ?MODULE).

now_ms() -> erlang:system_time(millisecond).

%% The table of a host's process is named as it is: {component, Pid} of the
%% connection that has said hello, and what mod_privatecall_facts says of each
%% available session.
init([Host | _]) ->
    process_flag(trap_exit, true),
    _ = ets:new(proc(Host), [named_table, public, ordered_set,
                             {write_concurrency, true}]),
    hooks(add, Host),
    gen_iq_handler:add_iq_handler(ejabberd_local, Host, ?NS_RELAY, ?MODULE,
                                  process_relay),
    gen_iq_handler:add_iq_handler(ejabberd_local, Host, ?NS_QUERY, ?MODULE,
                                  process_query),
    mod_privatecall_facts:collect(Host),
    erlang:send_after(?SWEEP, self(), sweep),
    announce(Host),
    {ok, #{host => Host, answers => #{},
           refusals => mod_privatecall_refusals:new(),
           alive => mod_privatecall_alive:new()}}.

terminate(_Reason, #{host := Host, refusals := Refusals}) ->
    _ = mod_privatecall_refusals:say(Refusals),
    case component(Host) of
        none -> ok;
        Pid -> tell(Host, Pid, el(<<"bye">>, ?NS_QUERY, []))
    end,
    gen_iq_handler:remove_iq_handler(ejabberd_local, Host, ?NS_RELAY),
    gen_iq_handler:remove_iq_handler(ejabberd_local, Host, ?NS_QUERY),
    hooks(delete, Host).

code_change(_OldVsn, State, _Extra) -> {ok, State}.

hooks(What, Host) ->
    _ = [ejabberd_hooks:What(Hook, Host, mod_privatecall_facts, Function, Seq)
         || {Hook, Function, Seq} <- mod_privatecall_facts:hooks()],
    Shared = [{filter_packet, filter_packet, 80},
              {component_send_packet, component_send, 50}],
    case What == delete andalso gen_mod:is_loaded_elsewhere(Host, ?MODULE) of
        true -> ok;
        false ->
            _ = [ejabberd_hooks:What(Hook, ?MODULE, Function, Seq)
                 || {Hook, Function, Seq} <- Shared],
            ok
    end.

handle_call({hello, Pid}, _From, #{host := Host} = State) ->
    case component(Host) of
        Old when Old == none; Old == Pid -> ok;
        Old -> replaced(Host, Old)
    end,
    ets:insert(proc(Host), {component, Pid}),
    monitor(process, Pid),
    {reply, ok, State};
handle_call(_Request, _From, State) ->
    {reply, {error, unknown}, State}.

handle_cast({replay, Pid}, #{host := Host} = State) ->
    mod_privatecall_facts:replay(Host, Pid),
    {noreply, State};
handle_cast({changed, Child}, #{host := Host} = State) ->
    case component(Host) of
        none -> ok;
        Pid -> tell(Host, Pid, el(<<"sessions">>, ?NS_QUERY, [], [Child]))
    end,
    {noreply, State};
handle_cast({answer, Answer}, #{host := Host, answers := Answers} = State) ->
    {noreply, State#{answers := mod_privatecall_facts:begin_answer(
                                  Host, Answer, Answers)}};
handle_cast({reported, Ref}, #{host := Host, answers := Answers} = State) ->
    {noreply, State#{answers := mod_privatecall_facts:reported(
                                  Host, Ref, Answers)}};
handle_cast({refused, Why, Asker}, State) ->
    #{refusals := Refusals} = State,
    {noreply, State#{refusals := mod_privatecall_refusals:note(Why, Asker,
                                                               Refusals)}};
handle_cast({reload, SameComponent}, #{host := Host} = State) ->
    SameComponent orelse ets:delete(proc(Host), component),
    announce(Host),
    {noreply, State};
handle_cast(sweep, #{host := Host} = State) ->
    sweep(Host),
    {noreply, State};
handle_cast(keep, State) ->
    mod_privatecall_store:keep(),
    {noreply, State};
handle_cast({alive, What}, State) ->
    {noreply, alive(What, State)};
handle_cast(_Message, State) ->
    {noreply, State}.

handle_info({'DOWN', _, process, Pid, _}, #{host := Host} = State) ->
    lost(Host, Pid),
    {noreply, State};
handle_info({unreported, Ref}, #{host := Host, answers := Answers} = State) ->
    {noreply, State#{answers := mod_privatecall_facts:end_answer(
                                  Host, Ref, Answers)}};
handle_info(say_refusals, #{refusals := Refusals} = State) ->
    {noreply, State#{refusals := mod_privatecall_refusals:say(Refusals)}};
handle_info(beat, State) ->
    {noreply, alive(beat, State)};
handle_info(sweep, #{host := Host} = State) ->
    erlang:send_after(?SWEEP, self(), sweep),
    sweep(Host),
    {noreply, State};
handle_info(_Message, State) ->
    {noreply, State}.

%%%===========================================================================
%%% The component
%%%===========================================================================

%% The connection of the component, if it is up: it has said hello there.
component(Host) ->
    case ets:lookup(proc(Host), component) of
        [{_, Pid}] when node(Pid) /= node() -> Pid;
        [{_, Pid}] ->
            case is_process_alive(Pid) of
                true -> Pid;
                false -> none
            end;
        [] -> none
    end.

%% The route's record has the process at the fourth place.
connections(Domain) ->
    case (ejabberd_router:get_backend()):find_routes(Domain) of
        {ok, Routes} -> [element(4, Route) || Route <- Routes];
        _ -> []
    end.

%% Written to its stream as it is, whoever it is from and to.
send(Pid, Packet) ->
    Pid ! {route, Packet},
    ok.

tell(Host, Pid, Child) ->
    send(Pid, message(Host, opt(Host, component), [Child])).

message(From, To, Children) ->
    xmpp:decode(el(<<"message">>, ?NS_CLIENT,
                   [{<<"from">>, From}, {<<"to">>, To}], Children),
                ?NS_CLIENT, [ignore_els]).

announce(Host) ->
    [tell(Host, Pid, hello(Host))
     || Pid <- connections(opt(Host, component)), is_pid(Pid)],
    ok.

hello(Host) ->
    el(<<"hello">>, ?NS_QUERY,
       [{<<"version">>, integer_to_binary(?VERSION)},
        {<<"software">>, <<"mod_privatecall">>},
        {<<"release">>, ?RELEASE},
        {<<"server">>, iolist_to_binary(["ejabberd ",
                                         ejabberd_option:version()])}
        | [{atom_to_binary(Name), atom_to_binary(opt(Host, Name))}
           || Name <- [private_calls, when_down, remote_users]]
        ++ mod_privatecall_facts:setup(Host)]).

%% A from address proves nothing, when one listener serves several components:
%% what came in on a component's stream is marked with that stream.
component_send({Packet, #{remote_server := Domain} = State})
  when element(1, Packet) == iq ->
    case mod_privatecall_alive:is_answer(Packet) of
        true -> {drop, State};
        false -> {xmpp:put_meta(Packet, privatecall_stream, {Domain, self()}),
                  State}
    end;
component_send(Acc) ->
    Acc.

is_component(Host, IQ) ->
    case xmpp:get_meta(IQ, privatecall_stream, none) of
        {Domain, _} -> Domain == opt(Host, component);
        none -> false
    end.

%%%===========================================================================
%%% Stanzas
%%%===========================================================================

%% What a stanza of a user is to us.
-spec call_of(tuple(), atom(), atom(), ljid(), ljid()) -> call() | none.
call_of(Packet, message, error, From, To) ->
    answer({To, bare(From), xmpp:get_id(Packet)});
call_of(Packet, message, Type, From, To) ->
    Els = xmpp:get_els(Packet),
    case jmi_of(Els) of
        none ->
            case Type /= groupchat andalso has_invite(Els) of
                true -> #{kind => invite};
                false -> receipt(Els, From, To)
            end;
        El ->
            Start = element(2, El) == <<"propose">>,
            case Start orelse bare(From) /= bare(To) of
                true -> #{kind => jmi, name => element(2, El), start => Start,
                          id => attr(<<"id">>, El)};
                false -> none
            end
    end;
call_of(Packet, iq, set, From, To) ->
    case jingle_of(xmpp:get_els(Packet)) of
        none -> none;
        El -> session(El, pair(From, To))
    end;
call_of(Packet, iq, Type, From, To) when Type == result; Type == error ->
    Key = {iq, To, From, xmpp:get_id(Packet)},
    case take(Key) of
        none -> none;
        Value -> #{kind => answer, name => <<"iq">>, value => Value}
    end;
call_of(_, _, _, _, _) ->
    none.

receipt(Els, From, To) ->
    Received = [El || El <- Els, xmpp:get_ns(El) == ?NS_RECEIPTS,
                      xmpp:get_name(El) == <<"received">>],
    case Received of
        [] -> none;
        [El | _] ->
            answer({To, bare(From), attr(<<"id">>, xmpp:encode(El))})
    end.

answer(Key) ->
    case expected(Key) of
        none -> none;
        Value -> #{kind => answer, name => <<"message">>, value => Value}
    end.

session(Jingle, Pair) ->
    Sid = attr(<<"sid">>, Jingle),
    Action = attr(<<"action">>, Jingle),
    Start = Action == <<"session-initiate">>,
    Call = #{kind => jingle, name => Action, start => Start, id => Sid},
    case has_rtp(Jingle) orelse id_kind(Pair, Sid) of
        _ when Sid == <<>> -> none;
        true -> Call;
        call -> Call;
        unknown when Start -> remember_id(Pair, Sid, native), none;
        _ -> none
    end.

%%%===========================================================================
%%% Redirect
%%%===========================================================================

%% Global, so that it costs what is no call little: of each message the names of
%% its children, of each answer one look into a table. What we inject is marked
%% with its type: an error or a result that the server makes of it keeps the
%% mark, but is of another type.
filter_packet(Packet) when element(1, Packet) == message;
                           element(1, Packet) == iq ->
    Type = xmpp:get_type(Packet),
    case may_be_call(Packet, element(1, Packet), Type)
        andalso xmpp:get_meta(Packet, privatecall, none) /= Type of
        true -> decide(Packet, Type);
        false -> Packet
    end;
filter_packet(Packet) ->
    Packet.

%% ejabberd leaves a hook out that crashes: a call would go on past all rules.
%% What users say of themselves is not for the log, and a term that did not
%% match may hold it: so the words of the reason alone, and where it was.
decide(Packet, Type) ->
    try filter_packet(Packet, Type)
    catch Class:Reason:Stack ->
            logger:error("A call stanza was stopped: ~0p ~0p in ~0p",
                         [Class, lists:sublist(words(Reason), 4),
                          functions(Stack)]),
            bounce(Packet, xmpp:err_internal_server_error())
    end.

words(Word) when is_atom(Word) -> [Word];
words(Tuple) when is_tuple(Tuple) ->
    lists:flatmap(fun words/1, tuple_to_list(Tuple));
words(_) -> [].

functions(Stack) ->
    [{Module, Function} || {Module, Function, _, _} <- lists:sublist(Stack, 4)].

may_be_call(Packet, message, Type) when Type /= error ->
    lists:any(fun mod_privatecall_xml:is_of_call/1, xmpp:get_els(Packet));
may_be_call(Packet, iq, set) ->
    jingle_of(xmpp:get_els(Packet)) /= none;
may_be_call(Packet, iq, Type) when Type == result; Type == error ->
    expected({iq, jid:tolower(xmpp:get_to(Packet)),
              jid:tolower(xmpp:get_from(Packet)), xmpp:get_id(Packet)})
        /= none;
may_be_call(_, Name, _) ->
    Name == message.

%% Where the sender is ours, his host decides; else the recipient's.
filter_packet(Packet, Type) ->
    From = jid:tolower(xmpp:get_from(Packet)),
    To = jid:tolower(xmpp:get_to(Packet)),
    Old = xmpp:get_meta(Packet, from_offline, false),
    case not Old andalso host_of(From, To) of
        false -> Packet;
        none -> Packet;
        Host ->
            Component = opt(Host, component),
            Kinds = {kind_of(From, Component), kind_of(To, Component)},
            case lists:member(Kinds, [{ours, ours}, {ours, other},
                                      {other, ours}]) andalso
                call_of(Packet, element(1, Packet), Type, From, To) of
                false -> Packet;
                none -> Packet;
                Call -> handle(Host, Packet, Call, Kinds == {ours, ours})
            end
    end.

host_of({_, S1, _}, {_, S2, _}) ->
    case {gen_mod:is_loaded(S1, ?MODULE), gen_mod:is_loaded(S2, ?MODULE)} of
        {true, _} -> S1;
        {false, true} -> S2;
        {false, false} -> none
    end.

%% A user of ours, one of elsewhere, or nobody: a host, a component's contact.
kind_of({U, S, _}, Component) when U == <<>>; S == Component ->
    nobody;
kind_of({_, S, _}, Component) ->
    case gen_mod:is_loaded(S, ?MODULE) andalso opt(S, component) of
        Component -> ours;
        _ -> other
    end.

handle(_Host, _Packet, #{kind := answer, value := own}, _) ->
    drop;
handle(Host, Packet, #{start := true} = Call, false) ->
    case {opt(Host, private_calls), opt(Host, remote_users)} of
        {false, _} -> refuse(Packet, Call, row(off));
        {true, true} -> from_elsewhere(Host, Packet, Call);
        {true, false} -> Packet
    end;
handle(Host, Packet, Call, false) ->
    case opt(Host, remote_users) of
        true -> from_elsewhere(Host, Packet, Call);
        false -> Packet
    end;
handle(Host, Packet, Call, true) ->
    handle(Host, Packet, Call).

%% The recipient's block list has not seen it yet: what that refuses is left to
%% the server. Of our own users' calls the component says it as any refusal.
from_elsewhere(Host, Packet, Call) ->
    {_, Mine, _} = jid:tolower(xmpp:get_to(Packet)),
    case blocks(Mine, Packet, in) == true of
        true -> Packet;
        false -> handle(Host, Packet, Call)
    end.

handle(Host, Packet, Call) ->
    case {component(Host), maps:get(kind, Call)} of
        {none, _} -> without_component(Host, Packet, Call);
        {_, invite} -> bounce(Packet, xmpp:err_not_allowed());
        {Pid, _} ->
            case goes_on_alone(pair_of(Packet), Call) of
                true -> Packet;
                false -> redirect(Host, Pid, Packet, Call)
            end
    end.

%% Of a call that began while the component was down; its id makes no new one.
goes_on_alone(_Pair, #{kind := answer}) ->
    false;
goes_on_alone(_Pair, #{name := <<"propose">>}) ->
    false;
goes_on_alone(Pair, #{name := Name, id := Id}) ->
    case alone_for(Pair, Id) of
        none -> false;
        Ms -> Name /= <<"session-initiate">> orelse Ms =< ?SETUP_MAX
    end.

%% The list of a message's recipient (in) or sender (out), a user of Host.
blocks(Host, Message, Direction) ->
    Owner = case Direction of
                in -> xmpp:get_to(Message);
                out -> xmpp:get_from(Message)
            end,
    case gen_mod:is_loaded(Host, mod_privacy) andalso
        ejabberd_hooks:run_fold(privacy_check_packet, Host, allow,
                                [Owner, Message, Direction]) of
        allow -> false;
        deny -> true;
        false -> []
    end.

redirect(Host, Pid, Packet, Call) ->
    Els = [xmpp:encode(El) || El <- xmpp:get_els(Packet), not is_own(El)],
    case lists:all(fun(El) -> fits(2, El) end, Els) of
        false -> bounce(Packet, xmpp:err_policy_violation());
        true ->
            From = jid:tolower(xmpp:get_from(Packet)),
            To = jid:tolower(xmpp:get_to(Packet)),
            remember(Host, pair(From, To), Call),
            maps:get(kind, Call) == answer orelse
                expect({asked, element(1, Packet), From, To,
                        xmpp:get_id(Packet)}, call),
            maps:is_key(id, Call) andalso
                expect_word(pair(From, To), {Host, Pid, Packet, Call}),
            send(Pid, xmpp:set_els(Packet, Els)),
            gen_server:cast(proc(Host), {alive, redirected}),
            drop
    end.

is_own(El) ->
    string:prefix(xmpp:get_ns(El), ?NS_OWN) /= nomatch.

remember(Host, Pair, #{kind := answer, name := <<"iq">>}) ->
    pair_known(Host, Pair) andalso renew(Pair);
remember(_Host, _Pair, #{kind := answer}) ->
    ok;
remember(_Host, Pair, #{start := Start, id := Id}) ->
    renew(Pair),
    Start andalso remember_id(Pair, Id, call).

%% Nothing of it goes back: the server itself does not survive too much depth.
bounce(Packet, Reason) ->
    case xmpp:get_type(Packet) of
        Type when Type == error; Type == result -> ok;
        _ -> ejabberd_router:route_error(xmpp:set_els(Packet, []), Reason)
    end,
    drop.

%%%===========================================================================
%%% While the component is down
%%%===========================================================================

row(off) ->
    {<<"decline">>, <<"Private calls are turned off on this server.">>};
row(refuse) ->
    {<<"gone">>,
     <<"Calls are not available right now. Try again shortly.">>};
row(native) ->
    none.

row_now(Host) ->
    case opt(Host, private_calls) of
        false -> row(off);
        true -> row(opt(Host, when_down))
    end.

%% What a connection of the component took with it, before it had said a word
%% about the pair, is taken as if it came now, in its order. Stanzas of a
%% running call are among it: the server learns of the end of a connection at
%% about the time when it reads them.
lost(Host, Pid) ->
    ets:delete_object(proc(Host), {component, Pid}),
    _ = [again(Host, Packet, Call)
         || {At, {_, _, Packet, Call}} <- wordless(Host, Pid),
            now_ms() - At < ?LOST_LIFE],
    ok.

%% The one before lingers: ejabberd would give it half of what is for the
%% component, and nobody looks after what it took any more.
replaced(Host, Pid) ->
    Ref = monitor(process, Pid),
    xmpp_stream_in:send(Pid, xmpp:serr_conflict(
                               <<"Replaced by a new connection">>, <<"en">>)),
    receive
        {'DOWN', Ref, process, Pid, _} -> ok
    after ?CLOSE_MAX ->
            demonitor(Ref, [flush])
    end,
    lost(Host, Pid).

again(Host, Packet, Call) ->
    Known = not maps:get(start, Call),
    Known orelse forsake_id(pair_of(Packet), maps:get(id, Call)),
    case row_now(Host) of
        Row when Row == none; Known ->
            without_component(Host, Packet, Call) == drop orelse
                inject(Packet),
            ok;
        Row -> refuse(Packet, Call, Row)
    end.

without_component(_Host, _Packet, #{kind := answer}) ->
    drop;
without_component(Host, Packet, #{kind := invite}) ->
    case row_now(Host) of
        none -> Packet;
        _ -> bounce(Packet, xmpp:err_not_allowed())
    end;
without_component(Host, Packet, #{name := Name, id := Id, start := Start}
                  = Call) ->
    Pair = pair_of(Packet),
    Fresh = Start andalso not id_known(Host, Pair, Id),
    case row_now(Host) of
        none ->
            Fresh andalso let_alone(Pair, Id),
            Packet;
        Row ->
            case {Fresh, Name} of
                {true, _} -> refuse(Packet, Call, Row);
                {_, <<"proceed">>} -> finish(Packet, Call, Row);
                {_, <<"session-initiate">>} -> finish(Packet, Call, Row);
                _ -> Packet
            end
    end.

pair_of(Packet) ->
    pair(jid:tolower(xmpp:get_from(Packet)), jid:tolower(xmpp:get_to(Packet))).

refuse(Packet, #{kind := jingle, id := Sid}, Row) ->
    terminate_session(Packet, Sid, Row);
refuse(Packet, #{kind := jmi, id := Id}, Row) ->
    By = jid:replace_resource(xmpp:get_to(Packet), <<"privatecall">>),
    say(<<"reject">>, Id, Row, By, xmpp:get_from(Packet), <<"store">>),
    drop.

%% A call that was about to stand ends for both.
finish(Packet, #{kind := jingle, id := Sid}, Row) ->
    terminate_session(Packet, Sid, Row),
    say(<<"retract">>, Sid, Row, xmpp:get_from(Packet), xmpp:get_to(Packet),
        <<"no-store">>),
    drop;
finish(Packet, #{kind := jmi, id := Id}, Row) ->
    {From, To} = {xmpp:get_from(Packet), xmpp:get_to(Packet)},
    say(<<"retract">>, Id, Row, To, From, <<"no-store">>),
    say(<<"reject">>, Id, Row, From, To, <<"no-store">>),
    drop.

terminate_session(IQ, Sid, Row) ->
    {From, To} = {xmpp:get_from(IQ), xmpp:get_to(IQ)},
    Id = p1_rand:get_string(),
    Jingle = el(<<"jingle">>, ?NS_JINGLE,
                [{<<"action">>, <<"session-terminate">>}, {<<"sid">>, Sid}],
                [reason(Row)]),
    inject(xmpp:make_iq_result(IQ)),
    expect({iq, jid:tolower(To), jid:tolower(From), Id}, own),
    inject(stanza(<<"iq">>, <<"set">>, Id, To, From, [Jingle])),
    drop.

say(Name, Id, Row, From, To, Hint) ->
    Els = [el(Name, ?NS_JMI, [{<<"id">>, Id}], [reason(Row)]),
           el(Hint, ?NS_HINTS, [])],
    inject(stanza(<<"message">>, <<"chat">>, p1_rand:get_string(), From, To,
                  Els)).

reason({Name, Text}) ->
    el(<<"reason">>, ?NS_JINGLE, [],
       [{xmlel, Name, [], []},
        {xmlel, <<"text">>, [], [{xmlcdata, Text}]}]).

stanza(Name, Type, Id, From, To, Els) ->
    xmpp:decode(el(Name, ?NS_CLIENT,
                   [{<<"type">>, Type}, {<<"id">>, Id},
                    {<<"from">>, jid:encode(From)},
                    {<<"to">>, jid:encode(To)}], Els),
                ?NS_CLIENT, [ignore_els]).

inject(Packet) ->
    ejabberd_router:route(xmpp:put_meta(Packet, privatecall,
                                        xmpp:get_type(Packet))).

%%%===========================================================================
%%% What the component asks
%%%===========================================================================

%% Both namespaces are no codec's: their elements stay as they came.
decode_iq_subel(El) ->
    El.

process_relay(IQ) ->
    {_, Host, _} = jid:tolower(xmpp:get_to(IQ)),
    answer_on_stream(IQ, mod_privatecall_relay:answer(Host, IQ)).

process_query(IQ) ->
    {_, Host, _} = jid:tolower(xmpp:get_to(IQ)),
    answer_on_stream(IQ, answer_query(Host, IQ)).

%% Another connection of the component may be there still, which nobody reads:
%% the answer goes back where the question came from.
answer_on_stream(_IQ, ignore) ->
    ignore;
answer_on_stream(IQ, Answer) ->
    case xmpp:get_meta(IQ, privatecall_stream, none) of
        {_, Pid} -> send(Pid, Answer), ignore;
        none -> Answer
    end.

%% The answer holds nothing of the question, which may be too deep to be sent.
error_of(IQ, Reason) ->
    xmpp:make_error(xmpp:set_els(IQ, []), Reason).

forbid(Host, IQ, Why, Refused) ->
    gen_server:cast(proc(Host), {refused, Why,
                                 jid:encode(xmpp:get_from(IQ))}),
    Reason = case Why of
                 off -> xmpp:err_not_allowed();
                 _ -> xmpp:err_forbidden()
             end,
    Answer = error_of(IQ, Reason),
    {xmlel, Name, Attrs, Els} = xmpp:encode(Reason, ?NS_CLIENT),
    xmpp:set_els(Answer, [{xmlel, Name, Attrs,
                           Els ++ [Refused || Refused /= none]}]).

%%%===========================================================================
%%% Hello
%%%===========================================================================

answer_query(Host, IQ) ->
    case {is_component(Host, IQ), xmpp:get_type(IQ), xmpp:get_els(IQ)} of
        {false, _, _} -> forbid(Host, IQ, asker, none);
        {true, set, [{xmlel, <<"hello">>, _, _} = El]} ->
            greet(Host, IQ, El);
        {true, get, [{xmlel, Name, _, _} = El]}
          when Name == <<"facts">>; Name == <<"sessions">> ->
            mod_privatecall_facts:answer(Host, IQ, El);
        _ -> error_of(IQ, xmpp:err_bad_request())
    end.

%% The stream's process is this one, so the result leaves before the replay, and
%% after the component is up.
greet(Host, IQ, El) ->
    case string:to_integer(attr(<<"version">>, El)) of
        {Version, <<>>} when is_integer(Version), Version >= 1 ->
            compare(Version, El),
            {_, Pid} = xmpp:get_meta(IQ, privatecall_stream),
            gen_server:call(proc(Host), {hello, Pid}),
            ignore = answer_on_stream(IQ, xmpp:make_iq_result(
                                              IQ, hello(Host))),
            gen_server:cast(proc(Host), {replay, Pid}),
            ignore;
        _ -> error_of(IQ, xmpp:err_bad_request())
    end.

compare(Version, El) ->
    case {Version, attr(<<"release">>, El)} of
        {?VERSION, ?RELEASE} -> ok;
        {_, Release} ->
            logger:warning("This is mod_privatecall ~ts (protocol ~b), the "
                           "component is ~ts ~ts (protocol ~b); update the "
                           "older one",
                           [?RELEASE, ?VERSION, attr(<<"software">>, El),
                            Release, Version])
    end.
