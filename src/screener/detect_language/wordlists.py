"""Function words of languages that the n-gram models do not know, or confuse. Written by hand, lower case.

The writer had the development half of the language data in view, so figures on that half flatter these lists a little.

A list need not be complete: a post has about twenty words, half of them from the top two hundred of its language.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HINDUSTANI = _words(
    """
    aur hum tum aap mera meri mere tera teri tere uska koi sab sabhi sabko abhi kabhi jab tab kab kaha kahan yaha yahan waha wahan karo kar
    kiya kiye kiyay gaya dekh dekho dekha bolo bola bol batao baat baatein log logon bhaiya bohat theek thik thk sirf lekin magar agar baad
    khud ghar desh mulk kaam paisa paise paisay dost yaar beta beti baap bhabhi hoon diya dena leta wahi yahi isliye kitab gussa
    pata galat ghalat aadmi aurat larki larka ladki ladka bacha bache bachay bachcha maloom mahina mahine tankhwah pagar mazdoor majdoor
    malik maalik kharab ganda gandi subah raat aaj kal waqt roz chalo suno samajh samjho rakho dil pyar pyaar mohabbat khush dukh bina bilkul
    shayad zaroor jarur jaroor warna varna toh tou sala saala kutta kutte kutti harami haram gandu gaand randi chutiya madarchod behenchod
    bhenchod kamina kamine itna itni itne kitna kitni kitne sahi zyada jyada duniya sarkar baar dono sare saare saari poora puri pure
    nahi nai nae hai ka ki ke ko se ne mein mai mei par pe bhi jo to tu mat mt wo hn hun kr krdo kro yar bc sy ky ny py tk pr h k b m q
    chor jaan khuda pakistan hindustan musalman janab bandi banda bande bandey khana pani paani din saal shadi bachon walon logo jane jana apko aapko
    """
)
HINDUSTANI_WEAK = _words(
    """
    to jo ki ka ke ko se ne par pe mai mei kam din mat mt sun kal mar maro sala haram chal beta tab jab kab wo hum tum ap kar yar sab koi
    roz jana jane tha hue mil mila aya aye gaya raha bina mere mera tera teri kaha dost log sahi dil ganda kro hn hy ese hona hone
    itna pata logo kaam nai hai tu ny sy ky py tk pr h k b m q bc chor pure puri sare saal pani wale wala wali dena lena dia die sona jan jaan
    thy hei hen the he me hi so is us in are ya na ho ha baar dono kya kr teen char aaj waha suno lagi thi bane bana deta mana pita mane
    pike kisi leta dete bait sunna
    """
)
"""Those of the Hindustani words and patterns that are words elsewhere, too."""
URDU = _words(
    """
    awam mulk maloom ghalat zaroor khuda allah mashallah mashaallah inshallah inshaallah alhamdulillah ameen aameen salam assalam walaikum
    khan imran nawaz zardari pakistan pakistani lahore karachi punjab janab sahab sahib bewakoof begairat beghairat lanat lanati laanat tharki
    kanjar dalla aik keh kay ky aese ghareeb qoum qaum quran namaz musalman musalmaan islam hukumat riyasat adalat wazir
    tankhwah waqt mazay larki larka larkiyan larkay bohat boht bht hein hy hn ny sy tou dey ley gay nae phr mulla yahoodi
    shareef dubai saudia iqama kafeel ha hay hae kia tm bhae mn koe sary thy
    """
)
HINDI = _words(
    """
    desh bharat modi hindu hinduon bjp congress jai jay shri shree ram bhagwan dharm janta sarkar neta mandir hindustan didi bhaiya kyuki
    vikas rajya pradesh rahul kisan jindagi jyada roj jarur hajar garib majdoor ladki ladka ladke fir sabhi toh yadav singh sharma gandhi
    yogi bihar mumbai delhi gujarat bhopal samaj rojgar pagar vetan patni pati parivar pooja namaste krishna shiv rupaye crore lakh h m mai mei nhi hu
    """
)
ARABIC = _words(
    """
    barcha barsha behi bahi chnia chnya chnowa chnoua chkoun chkon kifech kifach kifah winek inti enti enty inta enta antoma ntouma howa houwa
    hiya houma ahna wallah wallahi wlh wlhi walahi rabi rabbi rabbe rabna inchallah nchallah inchalah nchalah hamdoulah hamdolah hamdulillah
    fel lel mel wel rahou rahom rahi rana rani mouch mech mosh moch mesh mish msh mush khater lyoum lyouma barra omek omk ommek kalb kleb klab
    hmar mabrouk mabrok rabbak mezyen mezyena helwa tounes tounsi touns sahbi khouya khoya okhti weldi bnet rajel nes dima nheb nhebek yheb
    chouf hetha hedha hedhi hadha hadhi hadi hada lkol kolha kolhom kolou zeda zada yezi yezzi wahed barka hakka chwaya chwia chway
    dyal dial diali dyali hadchi wach wesh chno chnou fayn ghir bzaf bezaf walakin mzyan zwin zwina safi daba bnadem maghrib machi kayn kayna
    kolchi drari keda kda aywa awi yani yalla yallah habibi habibti hbiba leish laish lesh heik kteer ktir wein kefak kifak shway shwaya
    machallah tahia tahya rak raki rah wahd ach chi bech bach besh lah fih fiha fihom bih biha menou wen winou chbik chbih kelma mazal mazel
    taw tawa saha sahha rajala nsa blad bled mout emchi imchi bara nayk nik zebi zeby baad ella wella walla haja chay khedma khidma khadma flous
    flouss felous rateb modir kafil el al il fi ya ana ken kan win w had masr saheb hh elli illi ily alli ama kima kol kif bel mil dar omri rouh
    nas nass nti nta allah yarhmou jab jabou 3la klem maset masit yaser yesser enou anou houni hna lina bina ness ndhif khir mliha chfama famma fama
    chnowa mafama zid zidou alf merci sidi lella lalla weld wlad bent bnat ghneya ghonia ghalet sah tbarkallah yatik ykhalik kbir sghir jdid jedid
    """
)
ARABIC_WEAK = _words(
    """
    el al il fi ya ana ken kan win w had safi dima masr rana chi ach lah rah rak hada wen mish mesh bach bech barra bara wach hadi nes yani
    inti enti allah inta mel fel baad chay saha zada tawa taw haja ella barka hh ama kol kif bel mil dar nas hna lina bina alf merci sidi weld
    jab rani rouh besh zid kan al nik saheb bent awi heik daba inshallah mashallah walla halla lel wel lalla lesh mosh mush hiya bih modir fih kelma dial sah
    """
)
ENGLISH = _words(
    """
    the and is are you that this with for was have not but what from they your just about when there would people will can out who get like
    been has had our all one so do my we me he she it his her him them their then than now how if or as at by an be am i of on in to a
    no up us know think really very why because more some only these those into over after before here where which should could being going
    good great best new time day today work working pay paid years year life love help please thanks thank make made see look want need
    never always still even much many any every most other same right back man men women girl guys god news video watch live job money
    don't dont can't its im it's that's did does got say said let take come go way thing things one two first last next also too
    report against between during without under while world country government indian media police school company change check
    challenge college engage revenge hone tone phone alone done gone more care share mean wanna
    """
)
FRENCH = _words(
    """
    le la les des est et un une que qui pas pour dans ce cette sur avec plus tu je il elle nous vous ils mais ou donc tout bien c'est
    top bon bonne clip bravo tres merci vraiment encore comme moi toi mon ma mes sans aux du au
    """
)

MARKERS = {
    "pcm": _words(
        """
        dey una wetin abeg abegi wey dem sey sabi oga wahala naija comot chop abi sef sha waka pesin pipo kon wen weda naso japa yarn omo ehn
        nawa nau joor jare pikin oyibo hin bros tori tok belle vex gbege dele abeggi shey shebi nah dat dis na nor don wan e im am fit
        jor abegg shaa nawao howfar buh wella dah haba ehen wetn kuku dash
        """
    ),
    "tw": _words(
        """
        wo na no me enti nti ne se paa saa y3 de3 dea anaa wei aba nso ama obi ankasa aden hw3 3y3 s3 gyae gyimi sika kraa nyansa
        mo y3n yen wobe mensei besi yie menua bra aha hen deen d33n ebi ooo biaa nyinaa biara papa paapa medaase meda ase akwaaba
        onyame nyame awurade maame kwasea kwasia aboa abrofo obroni charley chale herh ei eii hmm mmom mpo ampa ye 3no ono onipa nipa
        nnipa mmaa mmarima abofra mmofra adwuma edwuma dwom asem as3m s3m ahaa mew) w)n wahu kasa kaa b3ka b3 bɛ yɛ ɛyɛ sɛ wɔ ɔno wɔn deɛ nɛ
        de wodi woho ho mu so fa fri firi di wan kwan aduane nsuo afe nnora nn3 seesei k) ko meko mek) woy3 y333 barima obaa ghana
        """
    ),
    "ts": _words(
        """
        hi ni wa ya va swi xi na ka ku hina mina wena n'wina vona leswi loko kambe ngopfu hikuva munhu vanhu namuntlha swinene inkomu
        khanimambo xikwembu hosi tatana manana vana ndzi u mi ti ri le la lava leyi leri lexi eka yena hikwavo hikwaswo a anga swa xa bya
        byona swona xona kaya tiko mali ntirho vatsonga mbilu rirhandzu vutomi kona sweswi mundzuku tolo loku nkarhi tani hahani avuxeni inhlikanhi
        auxeni famba buya vula vona rhandza nuna nsati wansati jaha ntombi vamanana vatatana ntsena swo xo vo kwini yini
        """
    ),
    "ms": _words(
        """
        kerana ialah sahaja beliau awak nak tengok cakap macam bas polis universiti kerajaan pejabat wang bahawa boleh mahu daripada
        berkenaan kereta kedai telefon basikal lelaki syarikat perniagaan pelbagai sebarang encik puan cik ringgit adakah
        bagaimanapun kini iaitu tersebut majikan bila kat dah la korang diorang kitorang je jer nie pastu sebab sangat x xde takde gomen
        peratus ahad isnin khamis jumaat perkhidmatan penerbangan lapangan baharu percuma kakitangan tandas perubatan seramai penyelidik kajian
        memaklumkan ramai negara selepas manakala semasa kanak telah turut anda ianya amat menerusi sekiranya ujian pengundi undi beribu berjuta
        dijangka dilaporkan dalam berlaku banyak kawasan mempunyai membolehkan menyatakan kebanyakan walaupun setiap hanyalah seluruh
        cuba kerja pukul wartawan warganegara pekerja penduduk langsung tak hendak tiada dikenali tentera semula berjaya rawatan kemalangan pemandu
        merangkumi lawatan pengembaraan esok semalam petang isteri jurutera pengurus kos cukai bayaran doktor pesakit pelajar kedua kesemua kemudahan
        hospital pasaran syif penyelia ejen pampasan permit mogok majlis perdana menteri timbalan peguam mahkamah tahanan penjara diberi diambil
        sepatutnya seterusnya sebaliknya walau oleh terdiri
        """
    ),
    "id": _words(
        """
        karena bisa tidak gue gua gw gak ga gk nggak enggak ngga aja doang kantor uang polisi pemerintah bahwa mobil banget kalo gimana kenapa
        dong sih deh nih tuh kok lu loe lo elu kayak udah udh belum blm cuma bgt presiden jokowi indonesia jakarta rakyat bapak perusahaan buruh
        upah lembur berbeda beda saat universitas rumah sakit kota sepeda toko pria kebijakan partai dgn yg krn sdh tdk jgn jg dr tp kpd pilkada
        gubernur cebong kampret mas mbak bang pak pabrik karyawan kerjaan dipecat nyari nunggu bilang ngomong kmrn sampe pengen ngapain saja
        adalah merupakan menurut terhadap secara antara memiliki seperti namun juga oleh hanya hingga butuh sebuah nomor mana mereka apa
        situ emang kek bego bodo goblok cina trotoar bulan kali siapa kapan uda gitu gini ama sama
        """
    ),
    "ne": _words(
        """
        छ छन् छैन छैनन् हो होइन हुन् थियो थिए भयो भएको भए हुने हुन्छ गर्ने गर्छ गरेको गर्नु गर्न गरे गर्यो पनि र यो त्यो यस त्यस यी ती म हामी तिमी तपाईं तपाई उनी मेरो हाम्रो
        तिम्रो उनको भने भनेको भन्ने अनि तर किन कसरी कहाँ कहिले अब अहिले यहाँ त्यहाँ लाई ले मा बाट सँग संग देखि सम्म लागि हरु हरू नेपाल नेपाली दाइ भाइ दिदी बहिनी राम्रो
        धेरै सबै केही कोही गरि गरी के को त नि है ल हजुर सर खै यस्तो त्यस्तो कस्तो जस्तो एउटा मान्छे देश सरकार काम पैसा दिन दिनु आउने जाने गएको आएको साथी
        """
    ),
    "hi": _words(
        """
        है हैं था थी थे हो हूँ हूं का की के को में से ने पर नहीं मत भी और या यह वह ये वे इस उस इन उन जो तो क्या क्यों कैसे कब कहाँ कहां अब जब तब मैं हम तुम आप मेरा मेरी मेरे हमारा
        हमारे तुम्हारा आपका आपके उनका उनके इसका उसका उसके कर करना करते करता करती किया किए गया गए गई रहा रहे रही होता होते हुआ हुए सब कुछ कोई एक लिए साथ बाद वाले
        वाला वाली अपने अपना अपनी तक ही लोग लोगों देश सरकार जी भाई अगर लेकिन मगर क्योंकि सिर्फ बहुत दिया लिया जाता जाते होगा होगी चाहिए
        """
    ),
    "mr": _words(
        """
        आहे आहेत नाही नाहीत होते होता होती आणि व पण तर मी तू तुम्ही आम्ही आपण त्या त्याला तिला मला तुला हा ही हे ते ती तो काय का कसे कधी कुठे झाला झाली झाले केला केली
        केले करून साठी मध्ये वर खूप सर्व काही लोक माझा माझी माझे आपल्या त्यांच्या च्या ची चे चा असा अशी असे म्हणून म्हणजे
        """
    ),
}  # fmt: skip
"""Words that tell apart what the n-gram models mix: Pidgin from English, Twi and Tsonga from others, Malay from Indonesian."""
