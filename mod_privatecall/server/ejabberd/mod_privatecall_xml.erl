%% mod_privatecall_xml.erl: elements as mod_privatecall reads and makes them.

-module(mod_privatecall_xml).

-export([el/3, el/4, attr/2, children/1, ns/2, fits/2, descriptions/1,
         has_rtp/1, has_text/1, fxml_size/1, is_of_call/1, is_jmi_ns/1,
         is_jmi_name/1, jmi_of/1, jingle_of/1, has_invite/1]).

-define(DEPTH_MAX, 64).
-define(NS_JINGLE, <<"urn:xmpp:jingle:1">>).
-define(NS_RTP, <<"urn:xmpp:jingle:apps:rtp:1">>).

el(Name, Ns, Attrs) ->
    el(Name, Ns, Attrs, []).

el(Name, Ns, Attrs, Children) ->
    {xmlel, Name, [{<<"xmlns">>, Ns} | Attrs], Children}.

attr(Name, {xmlel, _, Attrs, _}) ->
    proplists:get_value(Name, Attrs, <<>>).

children(Els) ->
    [El || El <- Els, element(1, El) == xmlel].

%% Of a child that inherits Outer where it says nothing.
ns(El, Outer) ->
    case attr(<<"xmlns">>, El) of
        <<>> -> Outer;
        Ns -> Ns
    end.

fits(Depth, {xmlel, _, _, Els}) ->
    Depth =< ?DEPTH_MAX andalso
        lists:all(fun(El) -> fits(Depth + 1, El) end, Els);
fits(_, _) ->
    true.

descriptions(Jingle) ->
    [ns(D, ?NS_JINGLE)
     || {xmlel, <<"content">>, _, Els} <- children(element(4, Jingle)),
        {xmlel, <<"description">>, _, _} = D <- Els].

has_rtp(Jingle) ->
    lists:member(?NS_RTP, descriptions(Jingle)).

has_text({xmlel, _, _, Els}) ->
    lists:any(fun({xmlcdata, Text}) -> string:trim(Text) /= <<>>;
                 (_) -> false
              end, Els).

fxml_size(El) ->
    byte_size(fxml:element_to_binary(El)).

%% A child by which a message may be of a call; looked at in every message.
is_of_call(El) ->
    is_call_ns(xmpp:get_ns(El)).

is_call_ns(<<"urn:xmpp:jingle-message:0">>) -> true;
is_call_ns(<<"urn:xmpp:jingle-message:1">>) -> true;
is_call_ns(<<"urn:xmpp:receipts">>) -> true;
is_call_ns(<<"urn:xmpp:call-invites:0">>) -> true;
is_call_ns(<<"urn:xmpp:call-message:1">>) -> true;
is_call_ns(_) -> false.

is_jmi_ns(Ns) ->
    Ns == <<"urn:xmpp:jingle-message:0">>
        orelse Ns == <<"urn:xmpp:jingle-message:1">>.

is_jmi_name(Name) ->
    lists:member(Name, [<<"propose">>, <<"retract">>, <<"ringing">>,
                        <<"proceed">>, <<"reject">>, <<"accept">>,
                        <<"finish">>]).

%% The first child that is of a call; a propose of something else is not.
jmi_of([El | Els]) ->
    case is_jmi_ns(xmpp:get_ns(El)) andalso is_jmi_name(xmpp:get_name(El)) of
        true ->
            Raw = xmpp:encode(El),
            case element(2, Raw) /= <<"propose">> orelse
                fxml:get_subtag_with_xmlns(Raw, <<"description">>, ?NS_RTP)
                /= false of
                true -> Raw;
                false -> jmi_of(Els)
            end;
        false -> jmi_of(Els)
    end;
jmi_of([]) ->
    none.

jingle_of([El | Els]) ->
    case xmpp:get_ns(El) == ?NS_JINGLE
        andalso xmpp:get_name(El) == <<"jingle">> of
        true -> xmpp:encode(El);
        false -> jingle_of(Els)
    end;
jingle_of([]) ->
    none.

%% Calls by chat, past all of this: XEP-0482 and what Dino had before it.
has_invite(Els) ->
    lists:any(fun is_invite/1, Els).

is_invite(El) ->
    lists:member({xmpp:get_ns(El), xmpp:get_name(El)},
                 [{<<"urn:xmpp:call-invites:0">>, <<"invite">>},
                  {<<"urn:xmpp:call-message:1">>, <<"propose">>}]).
