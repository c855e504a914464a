%% mod_privatecall_alive.erl: whether the component still answers, as the
%% process of a host of mod_privatecall keeps it (doc/protocol.md, Alive).
%%
%% A process that is stopped, or hangs, keeps its connection: without this its
%% users would ring into nothing. Looks are counted, not seconds: when it was
%% this server that stood still, the answer is read before the next look.

-module(mod_privatecall_alive).

-export([new/0, alive/2, is_answer/1]).

-import(mod_privatecall, [component/1, lost/2, opt/2, proc/1, send/2]).
-import(mod_privatecall_xml, [el/3, el/4]).

-define(BEAT, 1000).            % ms between two looks
-define(SILENT_MAX, 4).         % looks without a sign of it: it is dead
-define(ID, <<"privatecall-alive">>).

%% due: something was redirected since the last ping; asked: the connection
%% whose answer is waited for; silent: looks since it was heard.
-type alive() :: #{beating := boolean(), due := boolean(),
                   asked := none | pid(), silent := non_neg_integer()}.
-type what() :: redirected | heard | beat | {answered, pid()}.

-spec new() -> alive().
new() ->
    #{beating => false, due => false, asked => none, silent => 0}.

%% What the process was told, and what is done about it.
-spec alive(what(), map()) -> map().
alive(What, #{host := Host, alive := Alive} = State) ->
    {Do, Next} = step(What, component(Host), Alive),
    case Do of
        nothing -> ok;
        {ask, Pid} -> ask(Host, Pid);
        {close, Pid} -> close(Host, Pid)
    end,
    State#{alive := Next}.

%% Of what happened with the component's connection (none: it is down): what is
%% to be done about it.
-spec step(what(), none | pid(), alive()) ->
          {nothing | {ask | close, pid()}, alive()}.
step(redirected, _, #{beating := true} = Alive) ->
    {nothing, Alive#{due := true}};
step(redirected, _, Alive) ->
    {nothing, next(Alive#{due := true})};
step(heard, _, Alive) ->
    {nothing, Alive#{silent := 0}};
step({answered, Pid}, _, #{asked := Pid} = Alive) ->
    {nothing, Alive#{asked := none}};
step({answered, _}, _, Alive) ->
    {nothing, Alive};
step(beat, Pid, #{asked := Pid, silent := Silent} = Alive)
  when Pid /= none, Silent + 1 < ?SILENT_MAX ->
    {nothing, next(Alive#{silent := Silent + 1})};
step(beat, Pid, #{asked := Pid} = Alive) when Pid /= none ->
    {{close, Pid}, Alive#{beating := false, asked := none}};
step(beat, Pid, #{due := true} = Alive) when Pid /= none ->
    {{ask, Pid}, next(Alive#{due := false, asked := Pid, silent := 0})};
step(beat, _, Alive) ->
    {nothing, Alive#{beating := false}}.

next(Alive) ->
    erlang:send_after(?BEAT, self(), beat),
    Alive#{beating := true}.

ask(Host, Pid) ->
    Ping = el(<<"iq">>, <<"jabber:client">>,
              [{<<"type">>, <<"get">>}, {<<"id">>, ?ID},
               {<<"from">>, Host}, {<<"to">>, opt(Host, component)}],
              [el(<<"ping">>, <<"urn:xmpp:ping">>, [])]),
    send(Pid, xmpp:decode(Ping, <<"jabber:client">>, [ignore_els])).

%% What has come in on the connection of this process.
is_answer(IQ) ->
    case xmpp:get_id(IQ) == ?ID andalso xmpp:get_type(IQ) of
        Type when Type == result; Type == error ->
            {_, Host, _} = jid:tolower(xmpp:get_to(IQ)),
            gen_mod:is_loaded(Host, mod_privatecall) andalso
                gen_server:cast(proc(Host), {alive, {answered, self()}})
                == ok;
        _ -> false
    end.

close(Host, Pid) ->
    logger:warning("The component says nothing any more; its connection is "
                   "closed, and calls are refused or left alone (when_down) "
                   "until it is back"),
    xmpp_stream_in:send(Pid, xmpp:serr_connection_timeout(
                               <<"No answer to a ping">>, <<"en">>)),
    lost(Host, Pid).
