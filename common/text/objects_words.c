#include "common/text/objects_words.h"

/* One entry for each class in COCO's order. A phrase is looked up whole, the longest first. Regular
 * plurals are made when the table is read; toys and young of animals too (see objects.c). */
const limn_object_words limn_object_words_table[] = {
    { 0,
      "person, people, man, men, woman, women, boy, girl, child, children, kid, baby, babies, "
      "toddler, infant, newborn, teen, teenager, adult, lady, ladies, guy, gentleman, gentlemen, "
      "male, female, individual, human, youth, youngster, lad, bloke, dude, folk, tot, player, "
      "skier, skiier, snowboarder, skater, skateboarder, surfer, surfboarder, rider, biker, "
      "cyclist, bicyclist, motorcyclist, runner, jogger, swimmer, climber, hiker, dancer, singer, "
      "musician, guitarist, drummer, worker, coworker, officer, policeman, policemen, "
      "policewoman, policewomen, cop, fireman, firemen, firefighter, soldier, serviceman, "
      "servicemen, student, teacher, chef, baker, waiter, waitress, bartender, barista, vendor, "
      "salesman, shopper, buyer, customer, pedestrian, passenger, driver, motorist, commuter, "
      "traveler, traveller, tourist, visitor, batter, batsman, pitcher, catcher, umpire, referee, "
      "athlete, goalie, goalkeeper, baseman, infielder, outfielder, fielder, quarterback, "
      "footballer, golfer, wrestler, fighter, gymnast, acrobat, cheerleader, juggler, magician, "
      "performer, entertainer, actor, actress, reporter, cowboy, cowgirl, clown, bride, groom, "
      "bridesmaid, groomsman, groomsmen, friend, brother, sister, sibling, mother, father, mom, "
      "mum, mommy, dad, daddy, parent, son, daughter, wife, husband, grandfather, grandmother, "
      "grandparent, grandma, grandpa, grandchild, grandchildren, uncle, aunt, owner, spectator, "
      "onlooker, bystander, participant, competitor, racer, opponent, teammate, photographer, "
      "cameraman, cameramen, artist, painter, farmer, fisherman, fishermen, jockey, equestrian, "
      "camper, backpacker, trekker, bather, sunbather, diver, skydiver, parachutist, kayaker, "
      "canoer, canoeist, rower, sailor, windsurfer, wakeboarder, kiteboarder, paraglider, "
      "parasailer, boarder, rollerblader, lifeguard, guard, shepherd, herder, hunter, villager, "
      "businessman, businessmen, businesswoman, businesswomen, doctor, nurse, dentist, barber, "
      "butcher, mechanic, carpenter, mailman, priest, nun, monk, politician, foreigner, "
      "protester, marcher, patient, snow boarder, skate boarder, kite surfer, kite boarder, "
      "boogie boarder, police officer, security guard, crossing guard" },
    { 1,
      "bicycle, bike, tricycle, trike, unicycle, minibike, mountain bike, road bike, push bike" },
    { 2, "car, automobile, van, minivan, sedan, suv, hatchback, cab, jeep, coupe, taxi, taxicab, "
         "taxi cab, limo, limousine, station wagon, race car, police car, police cruiser" },
    { 3, "motorcycle, motor cycle, motorbike, motor bike, scooter, moped, vespa, dirtbike, dirt "
         "bike, motocross bike, motorcross bike, mini bike" },
    { 4,
      "airplane, air plane, aeroplane, plane, jet, jetliner, airliner, aircraft, airbus, biplane, "
      "monoplane, seaplane, sea plane, jumbo jet, fighter jet, fighter plane" },
    { 5, "bus, busses, minibus, trolley, school bus, double decker, double decker bus, coach bus" },
    { 6,
      "train, locomotive, tram, tramway, streetcar, street car, caboose, train car, train engine, "
      "steam engine, subway train, bullet train, monorail, trolley car" },
    { 7, "truck, pickup, lorry, hauler, firetruck, fire truck, fire engine, tow truck, dump truck, "
         "pickup truck, pick up truck, semi truck, semi trailer, tractor trailer, garbage truck, "
         "food truck" },
    { 8,
      "boat, ship, sailboat, sail boat, motorboat, motor boat, speedboat, speed boat, powerboat, "
      "rowboat, row boat, houseboat, house boat, tugboat, tug boat, lifeboat, life boat, fishing "
      "boat, dinghy, canoe, kayak, skiff, yacht, catamaran, pontoon, gondola, vessel, trawler, "
      "ferry, ferryboat, ferry boat, watercraft, schooner, barge, cruise liner, ocean liner, "
      "cruise ship, freighter, steamboat, steamship, riverboat, paddleboat, battleship" },
    { 9, "traffic light, traffic signal, stop light, stoplight, traffic lamp" },
    { 10, "fire hydrant, hydrant, fire plug" },
    { 11, "stop sign, stopsign" },
    { 12, "parking meter, park meter, parking metre" },
    { 13, "bench, benches, pew" },
    { 14,
      "bird, ostrich, owl, seagull, sea gull, gull, goose, geese, gosling, duck, duckling, "
      "parakeet, falcon, hawk, eagle, robin, pelican, waterfowl, heron, hummingbird, humming "
      "bird, mallard, finch, pigeon, dove, sparrow, seabird, osprey, blackbird, bluebird, fowl, "
      "shorebird, woodpecker, egret, chickadee, quail, kingfisher, buzzard, swan, bluejay, blue "
      "jay, flamingo, cormorant, parrot, loon, pheasant, rooster, hen, chickens, turkeys, "
      "sandpiper, crow, raven, oriole, warbler, magpie, peacock, cockatiel, cockatoo, lorikeet, "
      "puffin, vulture, condor, macaw, peafowl, penguin, stork, songbird, waterbird" },
    { 15, "cat, kitten, kitty, kitties, feline, tabby, tabby cat, house cat" },
    { 16,
      "dog, puppy, puppies, pup, doggy, doggie, canine, mutt, hound, beagle, chihuahua, "
      "schnauzer, dachshund, daschund, rottweiler, pitbull, pit bull, collie, pug, terrier, "
      "poodle, labrador, lab, doberman, spaniel, bulldog, bull dog, sheepdog, sheep dog, "
      "weimaraner, corgi, cocker spaniel, greyhound, retriever, golden retriever, whippet, husky, "
      "huskies, dalmatian, dalmation, german shepherd, australian shepherd, border collie, great "
      "dane, mastiff, pomeranian, st. bernard, saint bernard, wiener dog" },
    { 17,
      "horse, colt, pony, ponies, racehorse, race horse, stallion, equine, mare, foal, palomino, "
      "clydesdale, bronco, bronc" },
    { 18, "sheep, sheeps, lamb, ram, goat, ewe" },
    { 19,
      "cow, cattle, ox, oxen, calf, calves, holstein, heifer, buffalo, bull, steer, zebu, bison, "
      "longhorn" },
    { 20, "elephant" },
    { 21,
      "bear, polar bear, grizzly, panda, panda bear, brown bear, black bear, grizzly bear, bear "
      "cub" },
    { 22, "zebra" },
    { 23, "giraffe" },
    { 24, "backpack, back pack, knapsack, rucksack, bookbag, book bag" },
    { 25, "umbrella, parasol" },
    { 26, "handbag, hand bag, purse, wallet, briefcase, brief case" },
    { 27, "tie, necktie, neck tie, bow tie, bowtie" },
    { 28, "suitcase, suit case, luggage, baggage" },
    { 29, "frisbee, frisbees, frisby, frisbe" },
    { 30, "skis, ski" },
    { 31, "snowboard, snow board" },
    { 32, "sports ball, ball, baseball ball, basketball ball, football ball, soccer ball, tennis "
          "ball, volleyball ball, beach ball, bowling ball, golf ball" },
    { 33, "kite" },
    { 34, "baseball bat, bat, softball bat, cricket bat" },
    { 35,
      "baseball glove, baseball mitt, mitt, catcher 's mitt, catchers mitt, catcher mitt, catcher "
      "'s glove" },
    { 36, "skateboard, skate board, longboard" },
    { 37, "surfboard, surf board, shortboard, skimboard, wakeboard, boogie board, body board, "
          "bodyboard, paddle board, paddleboard" },
    { 38, "tennis racket, racket, racquet, tennis racquet, tennis racquette, racquette" },
    { 39, "bottle, water bottle, wine bottle, beer bottle" },
    { 40, "wine glass, wine glasses, wineglass, glass of wine, glasses of wine, glass of red wine, "
          "glass of white wine" },
    { 41, "cup, mug, teacup, tea cup, coffee cup, coffee mug" },
    { 42, "fork" },
    { 43, "knife, knives, knive, pocketknife, pocket knife" },
    { 44, "spoon" },
    { 45, "bowl" },
    { 46, "banana" },
    { 47, "apple" },
    { 48, "sandwich, burger, cheeseburger, hamburger, sub sandwich, panini, hoagie" },
    { 49, "orange, tangerine, clementine, oranges" },
    { 50, "broccoli, brocolli, broccolli, brocoli" },
    { 51, "carrot, baby carrot" },
    { 52, "hot dog, hotdog, corn dog, corndog, chili dog" },
    { 53, "pizza" },
    { 54, "donut, doughnut, bagel" },
    { 55, "cake, cupcake, cup cake, cheesecake, cheese cake, shortcake, coffeecake, birthday cake, "
          "wedding cake, carrot cake, cake batter" },
    { 56,
      "chair, seat, stool, armchair, arm chair, rocking chair, high chair, highchair, wheelchair, "
      "wheel chair, lawn chair, computer chair, desk chair" },
    { 57, "couch, sofa, recliner, futon, loveseat, love seat, settee, chesterfield" },
    { 58,
      "potted plant, houseplant, house plant, pot plant, potted flower, potted tree, plant in a "
      "pot, plants in pots, plant pot, flower pot, flowerpot, pot of flowers" },
    { 59, "bed" },
    { 60,
      "dining table, dinning table, dining room table, table, desk, computer desk, kitchen table, "
      "coffee table" },
    { 61, "toilet, urinal, commode, lavatory, potty, toilet seat, toilet bowl, port a potty, porta "
          "potty" },
    { 62, "tv, t.v., television, televison, tv screen, tv set, television set, television screen, "
          "flat screen, flatscreen, monitor, computer monitor, computer screen, desktop computer" },
    { 63,
      "laptop, lap top, computer, laptop computer, netbook, macbook, macbook pro, apple laptop, "
      "apple computer" },
    { 64, "mouse, mice, computer mouse" },
    { 65, "remote, remote control, remote controller, tv remote, television remote, tv remote "
          "control, wii remote, wii controller, wiimote, game controller, video game controller, "
          "nintendo wii controller" },
    { 66, "keyboard, computer keyboard" },
    { 67, "cell phone, cellphone, mobile phone, cellular phone, smartphone, smart phone, phone, "
          "telephone, iphone, mobile, mobile device" },
    { 68, "microwave, microwave oven" },
    { 69, "oven, stove, stovetop, stove top, stove top oven, pizza oven, toaster oven" },
    { 70, "toaster" },
    { 71, "sink" },
    { 72, "refrigerator, refridgerator, fridge, freezer" },
    { 73, "book" },
    { 74, "clock, clocktower, clock tower, alarm clock" },
    { 75, "vase" },
    { 76, "scissors, scissor, pair of scissors" },
    { 77,
      "teddy bear, teddybear, teddy, stuffed bear, toy bear, plush bear, stuffed animal, stuffed "
      "teddy bear" },
    { 78, "hair drier, hairdryer, hair dryer, blow dryer, hairdrier" },
    { 79, "toothbrush, tooth brush, toothbrushes" },
    /* People, though no single one. */
    { LIMN_OBJECT_HINT,
      "crowd, couple, family, families, team, audience, crew, someone, somebody, everyone, hand, "
      "santa, santa claus, diners, twins" },
    /* Animals of no class: "a baby deer" names nobody. */
    { LIMN_OBJECT_BEAST,
      "animal, lion, tiger, leopard, cheetah, deer, moose, elk, antelope, gazelle, monkey, ape, "
      "gorilla, chimpanzee, camel, llama, alpaca, donkey, mule, fox, foxes, wolf, wolves, pig, "
      "hog, piglet, rabbit, bunny, bunnies, squirrel, raccoon, kangaroo, koala, hippo, "
      "hippopotamus, rhino, rhinoceros, seal, sea lion, dolphin, whale, shark, turtle, lizard, "
      "alligator, crocodile, frog, cub, chick, chicken, turkey" },
    /* Against the possessives below. */
    { LIMN_OBJECT_PERSON,
      "child 's hand, child 's head, child 's face, child 's mouth, child 's hair, child 's arm, "
      "child 's feet, child 's lap, baby 's hand, baby 's head, baby 's face, baby 's mouth, baby "
      "'s feet, baby 's hair, women 's hands, men 's hands, children 's faces, children 's hands, "
      "baby 's mother, child 's mother" },
    /* Not a person, or nobody in particular. */
    { LIMN_OBJECT_NONE,
      "man made, no people, no person, no man, no one, snow man, gingerbread man, lego man, lego "
      "men, toy soldier, statue of a man, statue of a woman, statue of a person, statue of a boy, "
      "statue of a girl, statue of a child, statue of a soldier, statue of man, painting of a "
      "man, painting of a woman, drawing of a man, men 's, women 's, children 's, child 's, kid "
      "'s, kids ', baby 's, ladies ', mens, womens, mother 's day, father 's day, baby blue, baby "
      "bottle, baby bed, baby crib, baby carriage, baby stroller, baby food, baby shower, baby "
      "grand, baby grand piano, baby spinach, baby powder, baby monitor, baby gate, baby buggy, "
      "baby changing, cd player, dvd player, vcr player, mp3 player, record player, media player, "
      "music player, blu ray player, cassette player, table runner, screw driver, guard rail, "
      "guard tower, guard dog, pitcher of, water pitcher, milk pitcher, beer pitcher, glass "
      "pitcher, pancake batter, batter mix, lady bug, passenger side, driver side, driver 's "
      "seat, passenger seat, passenger window, couple of, hand dryer, hand towel, hand soap, hand "
      "rail, hand sanitizer, hand made, hand painted, hand drawn, hand written, hand held, hand "
      "sink, hand lotion, second hand, minute hand, hour hand, clock hand" },
    /* Not a vehicle. */
    { LIMN_OBJECT_NONE,
      "bike rack, bike lane, bike path, bike trail, bike seat, bicycle lane, bicycle rack, "
      "stationary bike, exercise bike, car seat, car park, car wash, car lot, cable car, car "
      "show, car dealership, bus stop, bus station, bus terminal, bus shelter, bus depot, bus "
      "lane, train track, train station, train platform, train yard, train depot, train tie, "
      "train set, train crossing, truck stop, truck bed, bed of a truck, bed of the truck, boat "
      "dock, boat launch, boat house, boat ramp, plane ticket, jet ski, jet bridge, jet way, jet "
      "engine, jet stream, pick up, motorcycle seat, motorcycle helmet, bicycle helmet, bike "
      "helmet, train seat, airplane seat, bus seat, back seat, front seat, ship wreck, airplane "
      "hangar" },
    /* Not an animal, or not a living one. */
    { LIMN_OBJECT_NONE,
      "bird house, bird bath, bird cage, bird feeder, bird 's eye, birds eye, bird nest, cat "
      "food, cat bed, cat tree, cat fish, cat nip, cat toy, dog house, dog bed, dog food, dog "
      "bowl, dog toy, dog park, dog show, dog collar, dog leash, dog crate, dog tag, dog biscuit, "
      "horse shoe, rocking horse, carousel horse, sea horse, saw horse, horse trailer, horse "
      "stable, sheep skin, lamb chop, cow boy, cow bell, cow girl, cow hide, bull horn, bull "
      "fight, bull fighter, bull ring, bull 's eye, bear claw, gummy bear, care bear, zebra "
      "crossing, zebra print, zebra stripe, zebra pattern, zebra striped, giraffe print, elephant "
      "ear, rubber duck, rubber ducky, duck tape, duck face, chicken wing, lab coat, cat statue, "
      "dog statue, bird statue, horse statue, bear statue, lion statue, elephant statue, cow "
      "statue, giraffe statue, statue of a horse, statue of a bear, statue of a cow, statue of a "
      "dog, statue of a cat, statue of a bird, statue of an elephant, statue of a giraffe, statue "
      "of a lion" },
    /* Not an object in its own right. */
    { LIMN_OBJECT_NONE,
      "tie dye, tie dyed, tie dyes, tie up, ties up, railroad tie, rail road tie, ski lift, ski "
      "slope, ski resort, ski pole, ski lodge, ski boot, ski suit, ski mask, ski jump, ski hill, "
      "ski run, ski trail, ski goggles, ski jacket, ski gear, ski area, ski equipment, ski "
      "course, ski mountain, ski outfit, ski path, ski ramp, ski race, ski track, ski vest, ski "
      "hat, ski pants, ski clothes, ski patrol, ski school, ski team, water ski, crystal ball, "
      "disco ball, ball gown, ball cap, ball park, ball field, ball pit, ball player, ball room, "
      "ball game, ball of yarn, wrecking ball, cotton ball, ball court, kite string, kite "
      "festival, kite tail, kite board, kite surf, kite surfing, kite boarding, bat man, bat boy, "
      "bat mobile, fruit bat, oven mitt, boxing mitt, skateboard ramp, skateboard park, skate "
      "board park, skateboard rink, skateboard trick, skate board ramp, surfboard rack, umbrella "
      "hat, umbrella stand, chair lift, ski chair lift, bottle opener, bottle cap, bottle cooler, "
      "fork lift, fork in the road, pitch fork, tuning fork, super bowl, bowl cut, cup holder, "
      "world cup, cup board, banana boat, banana tree, banana peel, banana leaf, banana leaves, "
      "banana bread, banana pepper, banana split, banana plant, apple store, apple logo, apple "
      "tree, apple juice, apple cider, apple sauce, apple pie, pine apple, orange juice, orange "
      "tree, orange cone, orange sauce, orange soda, carrot top, pizza hut, pizza box, pizza "
      "cutter, pizza shop, pizza parlor, pizza place, pizza restaurant, pizza dough, pizza sauce, "
      "pizza wheel, pizza peel, donut shop, doughnut shop, sandwich shop, cake stand, cake pan, "
      "cake topper, cake plate, cake knife, crab cake, rice cake, flower bed, bed of flowers, bed "
      "of lettuce, bed of rice, bed of straw, bed of hay, bed of ice, bed of leaves, bed of "
      "grass, bed of noodles, bed of greens, bed of snow, bed of rocks, bed of spinach, bed "
      "spread, bed sheet, bed room, bed side, bed pan, river bed, creek bed, table cloth, table "
      "top, table tennis, picnic table cloth, ping pong table, toilet paper, toilet brush, toilet "
      "tissue, toilet paper holder, toilet paper roll, toilet roll, roll of toilet paper, rolls "
      "of toilet paper, toilet stall, toilet plunger, toilet room, toilet tank, toilet lid, "
      "toilet cleaner, tv stand, tv show, tv station, tv tray, tv cabinet, tv camera, tv tower, "
      "tv antenna, television stand, television show, television station, television camera, "
      "television tower, computer tower, computer lab, computer case, computer paper, computer "
      "room, computer bag, computer cable, computer part, computer game, computer program, laptop "
      "bag, laptop case, mouse pad, mouse trap, mickey mouse, minnie mouse, remote area, remote "
      "location, remote road, remote field, remote beach, remote island, remote controlled, "
      "remote control car, remote control plane, piano keyboard, electric keyboard, musical "
      "keyboard, keyboard player, phone booth, phone book, phone case, phone pole, phone line, "
      "phone wire, phone number, phone store, telephone pole, telephone booth, telephone line, "
      "telephone wire, telephone box, phone box, pay phone, payphone, mobile home, baby mobile, "
      "microwave dinner, sink hole, sink drain, sink faucet, book shelf, book shelves, book case, "
      "book store, book end, book mark, book fair, check book, clock radio, clock hands, hands on "
      "the clock, hands of the clock, clock 's hands, clock shop, scissor lift, toothbrush "
      "holder, tooth brush holder, work bench, weight bench, bench press" },
};

const size_t limn_object_n_words = sizeof limn_object_words_table / sizeof *limn_object_words_table;
