%% mod_privatecall_relay.erl: what the component asks mod_privatecall to deliver
%% in the name of a user: checked, and injected or refused (doc/protocol.md,
%% Relay and Refused).

-module(mod_privatecall_relay).

-export([answer/2]).

-define(SIZE_MAX, 512000).      % of what is relayed

-define(NS_RELAY, <<"urn:privatecall:relay:0">>).
-define(NS_CLIENT, <<"jabber:client">>).
-define(NS_JINGLE, <<"urn:xmpp:jingle:1">>).
-define(NS_RTP, <<"urn:xmpp:jingle:apps:rtp:1">>).
-define(NS_HINTS, <<"urn:xmpp:hints">>).
-define(NS_RECEIPTS, <<"urn:xmpp:receipts">>).

-import(mod_privatecall, [opt/2, proc/1, is_component/2, kind_of/2, inject/1,
                          answer_on_stream/2, forbid/4]).
-import(mod_privatecall_store, [pair/2, bare/1, pair_known/2, id_kind/2,
                                remember_id/3, expect/2, take/1, word/1]).
-import(mod_privatecall_xml, [el/3, attr/2, children/1, ns/2, fits/2,
                              descriptions/1, has_text/1, fxml_size/1,
                              is_jmi_ns/1, is_jmi_name/1]).

%% Answers on the stream it came in on, or returns what is to go there.
answer(Host, IQ) ->
    case {is_component(Host, IQ), xmpp:get_type(IQ), xmpp:get_els(IQ)} of
        {false, _, _} -> forbid(Host, IQ, asker, refused(asker, none));
        {true, set, [{xmlel, <<"relay">>, _, Els}]} ->
            relay(Host, IQ, children(Els));
        _ -> forbid(Host, IQ, malformed, refused(malformed, none))
    end.

relay(Host, IQ, [{xmlel, Name, _, _} = El])
  when Name == <<"message">>; Name == <<"iq">> ->
    case attr(<<"xmlns">>, El) of
        ?NS_CLIENT ->
            try check(Host, El) of
                {ok, Packet} ->
                    gen_server:cast(proc(Host), {alive, heard}),
                    ignore = answer_on_stream(IQ, xmpp:make_iq_result(IQ)),
                    inject(Packet),
                    ignore
            catch
                throw:Why -> forbid(Host, IQ, Why, refused(Why, El))
            end;
        _ -> forbid(Host, IQ, malformed, refused(malformed, none))
    end;
relay(Host, IQ, _) ->
    forbid(Host, IQ, malformed, refused(malformed, none)).

%% The checks of doc/protocol.md, in its order; the raw element is judged, as
%% decoding moves body, subject and thread out of the children.
check(Host, {xmlel, Name, _, Els} = El) ->
    fits(1, El) orelse throw(depth),
    fxml_size(El) =< ?SIZE_MAX orelse throw(size),
    Packet = try xmpp:decode(El, ?NS_CLIENT, [ignore_els])
             catch error:{xmpp_codec, _} -> throw(address)
             end,
    {From, To} = check_addresses(Host, xmpp:get_from(Packet),
                                 xmpp:get_to(Packet)),
    Pair = pair(From, To),
    pair_known(Host, Pair) orelse throw(pair),
    Stanza = #{host => Host, pair => Pair, from => From, to => To,
               id => attr(<<"id">>, El), els => children(Els)},
    has_text(El) andalso Name == <<"message">> andalso throw(stanza),
    check(Name, xmpp:get_type(Packet), Stanza),
    xmpp:get_type(Packet) == result orelse word(Pair),
    {ok, Packet}.

check(<<"message">>, Type, Stanza) when Type == chat; Type == normal ->
    check_message(Stanza);
check(<<"message">>, error, Stanza) ->
    check_bounce(Stanza);
check(<<"iq">>, set, Stanza) ->
    check_set(Stanza);
check(<<"iq">>, result, #{els := []} = Stanza) ->
    check_answer(iq, Stanza);
check(<<"iq">>, error, Stanza) ->
    check_answer(iq, Stanza);
check(_, _, _) ->
    throw(stanza).

check_addresses(_Host, From, To) when From == undefined; To == undefined ->
    throw(address);
check_addresses(Host, FromJid, ToJid) ->
    {From, To} = {jid:tolower(FromJid), jid:tolower(ToJid)},
    Component = opt(Host, component),
    Remote = opt(Host, remote_users),
    case {kind_of(From, Component), kind_of(To, Component)} of
        {ours, ours} when element(2, From) == Host -> ok;
        {ours, other} when Remote, element(2, From) == Host -> ok;
        {other, ours} when Remote, element(2, To) == Host -> ok;
        _ -> throw(address)
    end,
    {From, To}.

check_message(#{host := Host, pair := Pair, from := From, to := To, id := Id,
                els := Els}) ->
    Jmi = [El || El <- Els, is_jmi_ns(ns(El, ?NS_CLIENT)),
                 is_jmi_name(element(2, El))],
    Received = [El || {_, <<"received">>, _, _} = El <- Els,
                      ns(El, ?NS_CLIENT) == ?NS_RECEIPTS],
    lists:all(fun may_hold/1, (Els -- Jmi) -- Received) orelse throw(stanza),
    length(Jmi) + length(Received) == 1 orelse throw(stanza),
    case Jmi of
        [{_, <<"propose">>, _, _} = Propose] ->
            Start = attr(<<"id">>, Propose),
            lists:member(id_kind(Pair, Start), [native, alone])
                andalso throw(session),
            opt(Host, private_calls) orelse throw(off),
            remember_id(Pair, Start, call);
        _ -> ok
    end,
    Id == <<>> orelse expect({From, bare(To), Id}, call).

may_hold({xmlel, Name, _, _} = El) ->
    case ns(El, ?NS_CLIENT) of
        ?NS_HINTS -> true;
        <<"urn:xmpp:sid:0">> -> Name == <<"origin-id">>;
        <<"urn:xmpp:carbons:2">> -> Name == <<"private">>;
        ?NS_RECEIPTS -> Name == <<"request">>;
        _ -> false
    end.

check_set(#{host := Host, pair := Pair, from := From, to := To, id := Id,
            els := [{xmlel, <<"jingle">>, _, _} = Jingle]}) when Id /= <<>> ->
    Sid = attr(<<"sid">>, Jingle),
    Start = attr(<<"action">>, Jingle) == <<"session-initiate">>,
    Media = descriptions(Jingle),
    ns(Jingle, ?NS_CLIENT) == ?NS_JINGLE andalso Sid /= <<>> andalso
        lists:all(fun(Ns) -> Ns == ?NS_RTP end, Media) andalso
        (Media /= [] orelse not Start) orelse throw(stanza),
    case id_kind(Pair, Sid) of
        call -> ok;
        unknown when Start -> ok;
        _ -> throw(session)
    end,
    not Start orelse opt(Host, private_calls) orelse throw(off),
    Start andalso remember_id(Pair, Sid, call),
    expect({iq, From, To, Id}, call);
check_set(_) ->
    throw(stanza).

check_answer(Kind, #{from := From, to := To, id := Id}) ->
    take({asked, Kind, To, From, Id}) /= none orelse throw(answer).

%% The component could not take a message.
check_bounce(#{els := [{xmlel, <<"error">>, _, _} = El]} = Stanza) ->
    ns(El, ?NS_CLIENT) == ?NS_CLIENT orelse throw(stanza),
    check_answer(message, Stanza);
check_bounce(_) ->
    throw(stanza).

refused(Why, El) ->
    el(<<"refused">>, ?NS_RELAY,
       [{<<"why">>, atom_to_binary(Why)} | inner(El)]).

inner(none) ->
    [];
inner({xmlel, Name, _, _} = El) ->
    [{<<"stanza">>, Name} |
     [{Key, attr(Key, El)} || Key <- [<<"id">>, <<"from">>, <<"to">>],
                              attr(Key, El) /= <<>>]].
